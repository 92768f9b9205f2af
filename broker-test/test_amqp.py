"""Events at a broker that speaks AMQP 1.0: RabbitMQ with its plugin amqp1_0."""

import pytest

from rabbitmq import TOPIC
from service import change


def subscriber(rabbitmq, tmp_path, address=f"/exchange/amq.topic/{TOPIC}", password="guest"):
    (tmp_path / "password").write_text(password + "\n")
    login = f'user: guest, password_file: {tmp_path}/password'
    return f'    umb: {{kind: amqp, url: "amqp://127.0.0.1:{rabbitmq.port}", address: "{address}", {login}}}'


def text(body):
    """The text in the section amqp-value of a message, which the plugin passes on as it is."""
    return body[body.index(b"{"):]


def test_messages_are_accepted_in_order(rabbitmq, service, tmp_path):
    with rabbitmq.queue("umb"):
        odcs = service(subscriber(rabbitmq, tmp_path))
        publisher = odcs.publisher()
        composes = [odcs.submit() for _ in range(4)]
        for compose in composes:
            odcs.done(compose)
        odcs.wait_for("umb", lambda each: each["behind"] == 0 and each["position"] >= 12)
        taken = rabbitmq.take("umb", 12)
        changes = [change(text(body)) for _, _, body in taken]
        for compose in composes:
            assert [state for each, state in changes if each == compose] == ["wait", "generating", "done"]
        assert {properties.message_id for _, properties, _ in taken} == {f"odcs-{number}" for number in range(1, 13)}
        assert publisher.stop() == 0


@pytest.mark.parametrize(
    "more, problem",
    [({"address": "/exchange/absent/x"}, "no exchange 'absent'"), ({"password": "wrong"}, "uthentication failed")],
)
def test_a_wrong_setting_is_explained_and_loses_nothing(rabbitmq, service, tmp_path, more, problem):
    odcs = service(subscriber(rabbitmq, tmp_path, **more))
    odcs.publisher()
    odcs.compose()
    waiting = odcs.wait_for("umb", lambda each: each.get("problem"))
    assert problem in waiting["problem"]
    assert (waiting["position"], waiting["dead_letters"]) == (0, 0)


def test_nothing_is_lost_while_the_broker_is_away(rabbitmq, service, tmp_path):
    with rabbitmq.queue("umb-away"):
        odcs = service(subscriber(rabbitmq, tmp_path))
        odcs.publisher()
        rabbitmq.stop()
        compose = odcs.compose()
        waiting = odcs.wait_for("umb", lambda each: each.get("problem"))
        assert "Connection refused" in waiting["problem"]
        rabbitmq.start()
        odcs.wait_for("umb", lambda each: each["behind"] == 0, patience=120)
        changes = [change(text(body)) for _, _, body in rabbitmq.take("umb-away", 3)]
        assert changes == [(compose, state) for state in ("wait", "generating", "done")]
