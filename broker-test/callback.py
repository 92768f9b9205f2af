"""The consumer that the fedora-messaging program runs: it writes each message as one line of JSON."""

import json
import os


def write(message):
    with open(os.environ["BROKER_TEST_MESSAGES"], "a") as file:
        line = {"topic": message.topic, "id": message.id, "body": message.body, "headers": message._properties.headers}
        file.write(json.dumps(line) + "\n")
