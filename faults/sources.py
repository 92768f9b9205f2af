"""Repositories over HTTP that misbehave as a scenario wants."""
import contextlib
import os
import socket
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class QuietServer(ThreadingHTTPServer):
    """An HTTP server that does not report the connections that break, because processes are killed."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Repository:
    """An HTTP server of a directory.

    The first part of a path is a name that no other request has. It also stands in repomd.xml, so that
    each compose reads everything anew. `faults` has the functions that may take over the answer for a
    path.
    """

    def __init__(self, directory):
        self.directory = directory
        # Path below the repository -> function of (handler, body), which returns True if it has answered.
        self.faults = {}
        self.asked = []
        self._open = threading.Event()
        self._open.set()
        self._holds = threading.Semaphore(0)
        self._closed = threading.Event()
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/"

    def fresh(self):
        """Returns an address of the repository that was not used before."""
        return f"{self.url}{uuid.uuid4().hex}/"

    def close(self):
        self._closed.set()
        self._open.set()
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def held(self, path):
        """Holds back the answers for that path until the end of the block."""
        self._open.clear()
        self.faults[path] = self._hold
        try:
            yield
        finally:
            self._open.set()
            self.faults.pop(path, None)

    def _hold(self, handler, body):
        self._holds.release()
        self._open.wait(300)
        return False

    def when_held(self, patience=60):
        """Waits until a request waits for a held path."""
        if not self._holds.acquire(timeout=patience):
            raise RuntimeError("the worker did not ask for the held file")

    # Faults.

    def hangs(self, handler, body):
        """Says nothing until the client goes."""
        self._closed.wait(600)
        return True

    def drips(self, handler, body):
        """Sends a byte every half second."""
        handler.start(len(body))
        for byte in body:
            if self._closed.wait(0.5):
                break
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
        return True

    def cuts(self, handler, body):
        """Sends half of the body, then closes the connection."""
        handler.start(len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True
        return True

    def is_missing(self, handler, body):
        handler.send_error(404)
        return True

    def has_changed(self, handler, body):
        """Sends as many bytes as there should be, but the last one differs."""
        handler.say(body[:-1] + bytes([body[-1] ^ 0xFF]))
        return True

    def _handler(repository):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                name, _, path = self.path.lstrip("/").partition("/")
                repository.asked.append(path)
                file = os.path.join(repository.directory, path)
                if ".." in path or not os.path.isfile(file):
                    return self.send_error(404)
                with open(file, "rb") as stream:
                    body = stream.read()
                if path == "repodata/repomd.xml":
                    body += f"<!-- {name} -->\n".encode()
                fault = repository.faults.get(path)
                with contextlib.suppress(OSError):
                    if fault is None or not fault(self, body):
                        self.say(body)

            def start(self, length):
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(length))
                self.end_headers()

            def say(self, body):
                self.start(len(body))
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


