"""tests-repo over HTTP, at the pace that a test wants."""

import contextlib
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Gate:
    """Where a repository's answers wait."""

    def __init__(self, address):
        self.address = address
        self._asked = threading.Event()
        self._open = threading.Event()

    def wait_until_asked(self):
        assert self._asked.wait(60), f"the worker did not ask for {self.address}"

    def open(self):
        self._open.set()

    def pass_through(self):
        self._asked.set()
        self._open.wait(120)


class Repository:
    """Serves a directory below addresses that come and go, and a token to whoever asks for one."""

    def __init__(self, directory, port):
        self.directory = Path(directory)
        self._gates = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        for gate in self._gates.values():
            gate.open()
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def held(self):
        """A repository that answers nothing until its gate is opened: a compose of it stays in the state generating."""
        name = f"held-{uuid.uuid4().hex}"
        gate = self._gates[name] = Gate(f"{self.root}/{name}")
        try:
            yield gate
        finally:
            gate.open()

    def _handler(repository):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name, _, path = self.path.lstrip("/").partition("/")
                if name in repository._gates:
                    repository._gates[name].pass_through()
                file = repository.directory / path
                if ".." in file.parts or not file.is_file():
                    return self.send_error(404)
                self.say(file.read_bytes(), "application/octet-stream")

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                token = {"access_token": "token-of-the-provider", "expires_in": 3600, "token_type": "Bearer"}
                self.say(json.dumps(token).encode(), "application/json")

            def say(self, body, content_type):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler
