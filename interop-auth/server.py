"""The servers of this project, with the examples of docs/security.md as their configuration."""

import os
import signal
import subprocess

import examples
import people
from program import Program

TESTS_REPO = os.environ["INTEROP_TESTS_REPO"]

# The password in the address of a proxy, which a log of the whole configuration would show. No request
# needs this proxy.
PROXY_SECRET = people.secret("of-the-service-at-its-proxy-42bb")
NO_PROXY = {"no_proxy": "127.0.0.1,.example.test"}

MORE = """
state_directory: "{state}"
sources:
  allowed_roots: ["{tests_repo}"]
  proxy: "http://odcs:{secret}@127.0.0.1:9"
koji:
  hub: http://127.0.0.1:8000/kojihub
  topurl: http://127.0.0.1:8000/topdir
log:
  level: {level}
"""


class Server:
    """`odcs-server run`: a frontend and a worker."""

    action = "run"
    behind_proxy = False
    level = "trace"

    def __init__(self, settings, name):
        self.file = settings / f"{name}.yaml"
        self.state = settings.parent / "state"
        self.state.mkdir(mode=0o755, exist_ok=True)
        text = examples.settings(settings, self.behind_proxy, host="127.0.0.1")
        # The hour for which groups count longer is not long after the second.
        text = text.replace("cache_seconds: 300", "cache_seconds: 1")
        more = MORE.format(state=self.state, tests_repo=TESTS_REPO, level=self.level, secret=PROXY_SECRET)
        self.file.write_text(text + people.RULES + more)
        self.command("check-config")
        self.program = Program(
            [os.environ["INTEROP_PROGRAM"], self.action, "--config", str(self.file)],
            settings.parent / f"{name}.log",
            "listening",
            NO_PROXY,
        )

    def command(self, *words):
        """Runs a command of odcs-server on the host, and returns its output."""
        command = [os.environ["INTEROP_PROGRAM"], *words, "--config", str(self.file)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def restart(self, how=signal.SIGTERM):
        self.program.end(how)
        self.program.start()


class BehindNginx(Server):
    """A second frontend, which believes what nginx says."""

    action = "frontend"
    behind_proxy = True
