"""Events in a topic of Kafka."""

import pytest

from kafka import Kafka
from service import change


@pytest.fixture(scope="session")
def kafka():
    return Kafka()


def subscriber(kafka, topic):
    return f"    kafka: {{kind: kafka, brokers: {kafka.brokers}, topic: {topic}, tls: false}}".replace("'", '"')


def test_kcat_reads_the_messages_in_order(kafka, service):
    odcs = service(subscriber(kafka, "ordered"))
    publisher = odcs.publisher()
    composes = [odcs.submit() for _ in range(6)]
    for compose in composes:
        odcs.done(compose)
    odcs.wait_for("kafka", lambda each: each["behind"] == 0 and each["position"] >= 18)
    messages = kafka.messages("ordered")
    assert len(messages) == 18
    for compose in composes:
        own = [message for message in messages if message["key"] == f"compose {compose}"]
        assert len({message["partition"] for message in own}) == 1
        own.sort(key=lambda message: message["offset"])
        assert [change(message["payload"]) for message in own] == [(compose, state) for state in ("wait", "generating", "done")]
    headers = [dict(zip(message["headers"][::2], message["headers"][1::2])) for message in messages]
    assert {each["odcs-event"] for each in headers} == {f"odcs-{number}" for number in range(1, 19)}
    assert {each["odcs-type"] for each in headers} == {"state-changed"}
    assert publisher.stop() == 0


def test_nothing_is_lost_while_the_brokers_are_away(kafka, service):
    odcs = service(subscriber(kafka, "away"))
    odcs.publisher()
    first = odcs.compose()
    odcs.wait_for("kafka", lambda each: each["behind"] == 0 and each["position"] >= 3)
    kafka.set_down(True)
    second = odcs.compose()
    waiting = odcs.wait_for("kafka", lambda each: each.get("problem"))
    assert waiting["problem"].startswith("The brokers did not ")
    kafka.set_down(False)
    odcs.wait_for("kafka", lambda each: each["behind"] == 0, patience=120)
    changes = {change(message["payload"]) for message in kafka.messages("away")}
    assert changes == {(compose, state) for compose in (first, second) for state in ("wait", "generating", "done")}
