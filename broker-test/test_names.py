"""A resolver that does not answer, which a publisher has in a mount namespace of its own."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

import service as programs

RESOLVER = "127.0.0.77"


def can_unshare():
    return shutil.which("unshare") and subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def silent_resolver(tmp_path, monkeypatch):
    """Lets publishers ask a resolver that takes questions, and answers none for minutes."""
    if not can_unshare() or not Path("/etc/resolv.conf").exists():
        pytest.skip("this user cannot give a program another resolver")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((RESOLVER, 53))
        (tmp_path / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:30 attempts:5\n")
        program = tmp_path / "publisher"
        program.write_text(
            f'#!/bin/sh\nmount --bind {tmp_path}/resolv.conf "$(realpath /etc/resolv.conf)" && exec {programs.PUBLISHER} "$@"\n'
        )
        wrapper = tmp_path / "wrapper"
        wrapper.write_text(f'#!/bin/sh\nexec unshare --mount --propagation private sh {program} "$@"\n')
        wrapper.chmod(0o755)
        monkeypatch.setattr(programs, "PUBLISHER", str(wrapper))
        yield listener


@pytest.mark.parametrize(
    "subscriber",
    [
        "kind: rabbitmq, url: amqp://broker.example.org/%2F, topic: t",
        "kind: amqp, url: amqp://broker.example.org, address: a",
        'kind: kafka, brokers: ["broker.example.org:9092"], topic: t, tls: false',
    ],
)
def test_a_resolver_that_does_not_answer_holds_up_neither_reports_nor_the_end(silent_resolver, service, subscriber):
    odcs = service(f"    broker: {{{subscriber}}}")
    publisher = odcs.publisher()
    odcs.compose()
    waiting = odcs.wait_for("broker", lambda each: each.get("problem"), patience=60)
    assert " in time" in waiting["problem"] or "timed out" in waiting["problem"]
    # The publisher did ask.
    silent_resolver.setblocking(False)
    assert b"broker" in silent_resolver.recv(512)
    begin = time.monotonic()
    assert publisher.stop() == 0
    assert time.monotonic() - begin < 30
