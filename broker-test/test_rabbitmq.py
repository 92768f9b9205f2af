"""Events at a real RabbitMQ, and in the real fedora-messaging program."""

import json
import os
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from program import Program
from rabbitmq import TOPIC
from service import change

FEDORA_MESSAGING = Path(sys.executable).parent / "fedora-messaging"


def subscriber(rabbitmq, more=""):
    return f'    fedora: {{kind: rabbitmq, url: "{rabbitmq.url}", topic: {TOPIC}{more}}}'


def order_is_kept(changes):
    """Whether the states of each compose come in their order."""
    order = ["wait", "generating", "done"]
    last = {}
    for compose, state in changes:
        if order.index(state) < last.get(compose, 0):
            return False
        last[compose] = order.index(state)
    return True


def test_fedora_messaging_reads_the_messages(rabbitmq, service, tmp_path):
    odcs = service(subscriber(rabbitmq))
    messages = tmp_path / "messages"
    messages.touch()
    (tmp_path / "fm.toml").write_text(
        f"""
        amqp_url = "{rabbitmq.url}"
        passive_declares = false
        topic_prefix = ""
        [tls]
        [queues.fedora-program]
        durable = true
        auto_delete = true
        exclusive = false
        arguments = {{}}
        [[bindings]]
        queue = "fedora-program"
        exchange = "amq.topic"
        routing_keys = ["org.example.odcs.#"]
        """
    )
    consumer = Program(
        [str(FEDORA_MESSAGING), "--conf", str(tmp_path / "fm.toml"), "consume", "--callback-file", f"{Path(__file__).parent}/callback.py:write"],
        tmp_path / "consumer.log",
        "Successfully registered AMQP consumer",
        {**os.environ, "BROKER_TEST_MESSAGES": str(messages)},
    )
    odcs.publisher()
    compose = odcs.compose()
    odcs.wait_for("fedora", lambda each: each["behind"] == 0 and each["position"] >= 3)
    while len(messages.read_text().splitlines()) < 3:
        assert consumer.process.poll() is None, consumer.text()
    consumer.kill()
    lines = [json.loads(line) for line in messages.read_text().splitlines()]
    # The body is exactly that of the other ways to get events.
    assert [line["body"] for line in lines] == list(odcs.events().values())
    assert [(line["body"]["compose"]["id"], line["body"]["compose"]["state_name"]) for line in lines] == [
        (compose, state) for state in ("wait", "generating", "done")
    ]
    assert {line["topic"] for line in lines} == {TOPIC}
    assert len({uuid.UUID(line["id"]) for line in lines}) == 3
    assert lines[0]["headers"]["fedora_messaging_schema"] == "base.message"
    assert lines[0]["headers"]["odcs-object"] == f"compose {compose}"
    assert datetime.fromisoformat(lines[0]["headers"]["sent-at"]).tzinfo


def test_nothing_is_lost_while_the_broker_is_away(rabbitmq, service):
    with rabbitmq.queue("away"):
        odcs = service(subscriber(rabbitmq))
        publisher = odcs.publisher()
        composes = [odcs.compose()]
        odcs.wait_for("fedora", lambda each: each["behind"] == 0 and each["position"] >= 3)
        rabbitmq.stop()
        composes += [odcs.submit() for _ in range(5)]
        # A trial by hand lets the broker be away for minutes.
        end = time.monotonic() + float(os.environ.get("BROKER_TEST_SECONDS_AWAY", "0"))
        while time.monotonic() < end:
            composes.append(odcs.submit())
            odcs.done(composes[-1])
            time.sleep(5)
        for compose in composes:
            odcs.done(compose)
        problem = odcs.wait_for("fedora", lambda each: each.get("problem"))["problem"]
        assert f"127.0.0.1:{rabbitmq.port}" in problem
        assert publisher.process.poll() is None
        rabbitmq.start()
        odcs.wait_for("fedora", lambda each: each["behind"] == 0, patience=400)
        taken = rabbitmq.take("away", 3 * len(composes))
        changes = [change(body) for _, _, body in taken]
        assert set(changes) == {(compose, state) for compose in composes for state in ("wait", "generating", "done")}
        assert order_is_kept(changes)
        assert odcs.subscriber("fedora")["dead_letters"] == 0


def test_a_publisher_that_is_killed_sends_again_under_the_same_ids(rabbitmq, service):
    with rabbitmq.queue("killed"):
        odcs = service(subscriber(rabbitmq))
        publisher = odcs.publisher()
        composes = [odcs.submit() for _ in range(8)]
        for _ in range(4):
            publisher.kill()
            publisher = odcs.publisher()
        for compose in composes:
            odcs.done(compose)
        odcs.wait_for("fedora", lambda each: each["behind"] == 0, patience=120)
        taken = rabbitmq.take("killed", 24)
        by_id = {}
        for _, properties, body in taken:
            assert by_id.setdefault(properties.message_id, body) == body
        assert {change(body) for body in by_id.values()} == {
            (compose, state) for compose in composes for state in ("wait", "generating", "done")
        }


@pytest.mark.parametrize(
    "more, problem",
    [
        (", exchange: absent", "no exchange 'absent' in vhost '/' (404)"),
        (", user: guest, password_file: PASSWORD", "Login was refused using authentication mechanism PLAIN"),
    ],
)
def test_a_wrong_setting_is_explained_and_loses_nothing(rabbitmq, service, tmp_path, more, problem):
    (tmp_path / "password").write_text("wrong\n")
    odcs = service(subscriber(rabbitmq, more.replace("PASSWORD", str(tmp_path / "password"))))
    odcs.publisher()
    odcs.compose()
    waiting = odcs.wait_for("fedora", lambda each: each.get("problem"))
    assert problem in waiting["problem"]
    assert (waiting["position"], waiting["dead_letters"]) == (0, 0)
    assert problem in odcs.command("events", "list")


def test_a_password_that_is_corrected_needs_no_restart(rabbitmq, service, tmp_path):
    password = tmp_path / "password"
    password.write_text("wrong\n")
    odcs = service(subscriber(rabbitmq, f", user: guest, password_file: {password}"))
    odcs.publisher()
    odcs.compose()
    odcs.wait_for("fedora", lambda each: each.get("problem"))
    password.write_text("guest\n")
    odcs.wait_for("fedora", lambda each: each["behind"] == 0)


def test_a_message_without_a_queue_waits_only_if_it_is_mandatory(rabbitmq, service):
    odcs = service(subscriber(rabbitmq))
    publisher = odcs.publisher()
    odcs.compose()
    odcs.wait_for("fedora", lambda each: each["behind"] == 0 and each["position"] >= 3)
    publisher.wait_for("no queue of the broker gets these messages")

    odcs = service(subscriber(rabbitmq, ", mandatory: true"))
    odcs.publisher()
    odcs.compose()
    waiting = odcs.wait_for("fedora", lambda each: each.get("problem"))
    assert waiting["problem"] == f"No queue gets messages with the topic {TOPIC}."
    with rabbitmq.queue("mandatory"):
        odcs.wait_for("fedora", lambda each: each["behind"] == 0)
        assert len(rabbitmq.take("mandatory", 3)) == 3


def test_check_config_warns_if_no_publisher_is_alive(rabbitmq, service):
    odcs = service(subscriber(rabbitmq))
    assert "no odcs-publisher" in odcs.command("events", "list")
    odcs.publisher()
    odcs.wait_for("fedora", lambda each: True)
    assert "no odcs-publisher" not in odcs.command("events", "list")
