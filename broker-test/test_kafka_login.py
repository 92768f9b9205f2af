"""TLS and logins with SCRAM and PLAIN to Kafka."""

import pytest

from authority import Authority
from kafka import Kafka
from kafka_gate import Gates
from service import change


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def kafka():
    return Kafka()


def subscriber(gates, authority, topic, tmp_path, mechanism, password="secret"):
    (tmp_path / "password").write_text(password + "\n")
    return (
        f"    kafka: {{kind: kafka, brokers: {gates.brokers}, topic: {topic}, mechanism: {mechanism}, ca: {authority.certificate}, "
        f"user: odcs, password_file: {tmp_path}/password}}"
    ).replace("'", '"')


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_brokers_behind_a_login_get_the_messages(kafka, authority, service, tmp_path, mechanism):
    gates = Gates(kafka, authority.issue("kafka"), "odcs", "secret")
    odcs = service(subscriber(gates, authority, "login", tmp_path, mechanism))
    odcs.publisher()
    compose = odcs.compose()
    odcs.wait_for("kafka", lambda each: each["behind"] == 0 and each["position"] >= 3)
    assert gates.mechanisms == {mechanism}
    changes = [change(message["payload"]) for message in kafka.messages("login")]
    assert changes == [(compose, state) for state in ("wait", "generating", "done")]
    gates.close()


def test_a_wrong_password_is_explained_and_loses_nothing(kafka, authority, service, tmp_path):
    gates = Gates(kafka, authority.issue("kafka"), "odcs", "secret")
    odcs = service(subscriber(gates, authority, "wrong", tmp_path, "SCRAM-SHA-512", "geheim"))
    odcs.publisher()
    compose = odcs.compose()
    waiting = odcs.wait_for("kafka", lambda each: each.get("problem"))
    assert "uthentication" in waiting["problem"] and "geheim" not in waiting["problem"]
    assert (waiting["position"], waiting["dead_letters"]) == (0, 0)
    # The password is read for each connection.
    (tmp_path / "password").write_text("secret\n")
    odcs.wait_for("kafka", lambda each: each["behind"] == 0, patience=120)
    changes = [change(message["payload"]) for message in kafka.messages("wrong")]
    assert changes == [(compose, state) for state in ("wait", "generating", "done")]
    gates.close()


def test_brokers_with_a_certificate_of_others_get_nothing(kafka, authority, service, tmp_path):
    gates = Gates(kafka, authority.issue("kafka"), "odcs", "secret")
    others = Authority(tmp_path / "other", "others")
    odcs = service(subscriber(gates, others, "untrusted", tmp_path, "SCRAM-SHA-512"))
    odcs.publisher()
    odcs.compose()
    waiting = odcs.wait_for("kafka", lambda each: each.get("problem"))
    assert "SSL" in waiting["problem"] or "certificate" in waiting["problem"]
    assert waiting["position"] == 0 and not gates.mechanisms
    gates.close()
