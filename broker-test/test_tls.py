"""TLS to brokers: the certificate of the broker, and the login with one of the publisher's own."""

import pytest

from authority import Authority
from rabbitmq import TOPIC
from service import change


def states(compose):
    return [(compose, state) for state in ("wait", "generating", "done")]


def fedora(rabbitmq, more, host="localhost"):
    return f'    fedora: {{kind: rabbitmq, url: "amqps://{host}:{rabbitmq.tls_port}/%2F", topic: {TOPIC}, {more}}}'


def password(tmp_path):
    (tmp_path / "password").write_text("guest\n")
    return f"user: guest, password_file: {tmp_path}/password"


def test_a_broker_with_a_certificate_that_is_trusted_gets_the_messages(rabbitmq, service, tmp_path):
    with rabbitmq.queue("tls"):
        odcs = service(fedora(rabbitmq, f"ca: {rabbitmq.authority.certificate}, {password(tmp_path)}"))
        odcs.publisher()
        compose = odcs.compose()
        odcs.wait_for("fedora", lambda each: each["behind"] == 0 and each["position"] >= 3)
        assert [change(body) for _, _, body in rabbitmq.take("tls", 3)] == states(compose)


def test_a_publisher_with_a_certificate_needs_no_password(rabbitmq, service):
    certificate, key = rabbitmq.authority.issue("guest")
    with rabbitmq.queue("external"):
        odcs = service(fedora(rabbitmq, f"ca: {rabbitmq.authority.certificate}, certificate: {certificate}, key: {key}"))
        odcs.publisher()
        compose = odcs.compose()
        odcs.wait_for("fedora", lambda each: each["behind"] == 0 and each["position"] >= 3)
        assert [change(body) for _, _, body in rabbitmq.take("external", 3)] == states(compose)


def test_amqp_1_0_goes_over_tls_as_well(rabbitmq, service, tmp_path):
    with rabbitmq.queue("tls-umb"):
        odcs = service(
            f'    umb: {{kind: amqp, url: "amqps://localhost:{rabbitmq.tls_port}", address: "/exchange/amq.topic/{TOPIC}", '
            f"ca: {rabbitmq.authority.certificate}, {password(tmp_path)}}}"
        )
        odcs.publisher()
        compose = odcs.compose()
        odcs.wait_for("umb", lambda each: each["behind"] == 0 and each["position"] >= 3)
        assert [change(body[body.index(b"{"):]) for _, _, body in rabbitmq.take("tls-umb", 3)] == states(compose)


@pytest.mark.parametrize("kind", ["rabbitmq", "amqp"])
@pytest.mark.parametrize("fault", ["another authority", "another host"])
def test_a_broker_that_is_not_trusted_gets_nothing(rabbitmq, service, tmp_path, kind, fault):
    # The certificate of the broker is for localhost.
    host = "127.0.0.1" if fault == "another host" else "localhost"
    authority = rabbitmq.authority if fault == "another host" else Authority(tmp_path / "other", "others")
    more = f"ca: {authority.certificate}, {password(tmp_path)}"
    if kind == "rabbitmq":
        subscriber, name = fedora(rabbitmq, more, host), "fedora"
    else:
        subscriber = f'    umb: {{kind: amqp, url: "amqps://{host}:{rabbitmq.tls_port}", address: "/exchange/amq.topic/{TOPIC}", {more}}}'
        name = "umb"
    with rabbitmq.queue("untrusted"):
        odcs = service(subscriber)
        odcs.publisher()
        odcs.compose()
        waiting = odcs.wait_for(name, lambda each: each.get("problem"))
        assert any(word in waiting["problem"] for word in ("SSL", "certificate", "hostname")), waiting["problem"]
        assert (waiting["position"], waiting["dead_letters"]) == (0, 0)
        channel = rabbitmq.channel()
        assert channel.queue_declare("untrusted", passive=True).method.message_count == 0
        channel.connection.close()
