"""A server of this project, which a test can kill and start again."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from children import ending_with_caller
from ports import free_port

PROGRAM = os.environ["PAGES_PROGRAM"]
TESTS_REPO = os.environ["PAGES_TESTS_REPO"]

SETTINGS = """
state_directory: "{state}"
frontend:
  host: 127.0.0.1
  port: {port}
{frontend}
sources:
  allowed_roots: ["{tests_repo}"]
  allowed_urls: ["{held}"]
worker:
  slots: 1
  lease_seconds: 3
  expire_seconds: 1
{more}
"""


class Server:
    def __init__(self, directory, held, frontend="", more=""):
        directory.mkdir(mode=0o755)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state = directory / "state"
        self.state.mkdir(mode=0o755)
        self.file = directory / "odcs-server.yaml"
        self.log = directory / "server.log"
        settings = SETTINGS.format(
            state=self.state, port=self.port, frontend=frontend, tests_repo=TESTS_REPO, held=held.url, more=more
        )
        self.file.write_text(settings)
        self.held = held
        self.start()

    def start(self):
        address = self.state / "address"
        address.unlink(missing_ok=True)
        command = ending_with_caller([PROGRAM, "run", "--config", self.file, "--address-file", address])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(1200):
            if address.exists():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-3000:]}")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def submit(self, *packages, source=None, wait=True, **source_members):
        """Asks for a compose, and returns its number. With `wait`, returns when it has ended."""
        source = {"type": "repo", "source": source or TESTS_REPO, "packages": list(packages), **source_members}
        number = self.ask("/api/1/composes/", {"source": source})["id"]
        if wait:
            self.wait(number)
        return number

    def compose(self, number):
        return self.ask(f"/api/1/composes/{number}")

    def until(self, path, is_reached):
        """Asks again and again until an answer is as expected."""
        for _ in range(600):
            if is_reached(answer := self.ask(path)):
                return answer
            time.sleep(0.2)
        raise AssertionError(f"{path} stays as it is: {answer}")

    def wait(self, number):
        for _ in range(10):
            if self.ask(f"/api/1/composes/{number}?wait=30")["state_name"] in ("done", "failed", "removed"):
                return
        raise AssertionError(f"compose {number} did not end")
