"""Serves tests-repo over HTTP. A test can hold the answers back."""

import contextlib
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Gate:
    """A gate at which the answers of a repository wait until a test opens it."""

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
    """A server of a directory, below temporary addresses.

    It also gives a token to every caller that asks for one.
    """

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
        """Yields the gate of a repository that sends no answer until the gate is opened.

        Until then a compose of the repository stays in the state generating.
        """
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
