"""The repository tests-repo over HTTP. It answers only when a test allows it."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, held, *arguments):
        self.held = held
        super().__init__(*arguments, directory=os.environ["PAGES_TESTS_REPO"])

    def do_GET(self):
        # Each part of the path before the first real one is a hold of its own.
        name, _, self.path = self.path.lstrip("/").partition("/")
        self.path = "/" + self.path
        self.held.gate(name).wait(120)
        super().do_GET()

    def log_message(self, *_):
        pass


class Held:
    def __init__(self):
        self.gates = {}
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def gate(self, name):
        with self.lock:
            return self.gates.setdefault(name, threading.Event())

    def repository(self, name):
        """Returns the address of a repository that does not answer yet."""
        return f"{self.url}{name}/"

    def release(self, name):
        self.gate(name).set()

    def end(self):
        for gate in list(self.gates.values()):
            gate.set()
        self.server.shutdown()
