"""The programs of this project: a server with a worker, and a publisher that uses the same configuration file."""

import json
import os
import subprocess
import time

import requests

from ports import free_port
from program import Program

SERVER = os.environ["BROKER_TEST_SERVER"]
PUBLISHER = os.environ["BROKER_TEST_PUBLISHER"]
TESTS_REPO = os.environ["BROKER_TEST_REPO"]


class Service:
    def __init__(self, directory, subscribers):
        """Starts a server whose events go to some subscribers, as YAML."""
        self.directory = directory
        directory.mkdir(mode=0o711)
        (directory / "state").mkdir(mode=0o755)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.file = directory / "odcs-server.yaml"
        self.file.write_text(
            f"state_directory: {directory}/state\n"
            f'frontend: {{port: {port}, public_url: "{self.url}"}}\n'
            f"sources: {{allowed_roots: [{TESTS_REPO}]}}\n"
            f"events:\n  subscribers:\n{subscribers}\n"
        )
        self.server = Program([SERVER, "run", "--config", str(self.file)], directory / "server.log", "listening")
        self.publishers = []

    def publisher(self):
        """Starts a publisher, and waits until it serves its subscribers."""
        number = len(self.publishers)
        publisher = Program(
            [PUBLISHER, "run", "--config", str(self.file)], self.directory / f"publisher-{number}.log", "publishing events"
        )
        self.publishers.append(publisher)
        return publisher

    def close(self):
        statuses = [publisher.stop() for publisher in self.publishers if publisher.process.poll() is None]
        self.server.stop()
        assert statuses == [0] * len(statuses)

    def command(self, *words):
        """Runs a command of odcs-server, and returns what it writes."""
        command = [SERVER, *words, "--config", str(self.file)]
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return answer.stdout

    def submit(self, packages="ed"):
        body = {"source": {"type": "repo", "source": TESTS_REPO, "packages": [packages]}, "flags": ["no_reuse"]}
        answer = requests.post(f"{self.url}/api/1/composes/", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def done(self, compose):
        answer = requests.get(f"{self.url}/api/1/composes/{compose}?wait=60", timeout=90).json()
        assert answer["state_name"] == "done", answer["state_reason"]

    def compose(self):
        compose = self.submit()
        self.done(compose)
        return compose

    def events(self):
        """All events of the service: their messages, by position."""
        answer = requests.get(f"{self.url}/api/1/events?after=0&limit=1000", timeout=60).json()
        return {event["position"]: event["message"] for event in answer["events"]}

    def subscriber(self, name):
        items = requests.get(f"{self.url}/api/1/subscribers/", timeout=60).json()["items"]
        return next((item for item in items if item["name"] == name), None)

    def wait_for(self, name, condition, patience=60):
        """Waits until a subscriber meets a condition, and returns it."""
        end = time.monotonic() + patience
        while True:
            subscriber = self.subscriber(name)
            if subscriber and condition(subscriber):
                return subscriber
            assert time.monotonic() < end, subscriber
            time.sleep(0.1)


def change(body):
    """What a message says. Example: `(12, "done")`."""
    message = json.loads(body)
    assert message["event"] == "state-changed"
    return message["compose"]["id"], message["compose"]["state_name"]
