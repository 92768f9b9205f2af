"""Tests of certificates beyond the table of rights."""

import os
import ssl
import subprocess
import time

import pytest
import requests

from certificates import Authority, serial
from ways import URL


def post(certificate):
    return requests.post(f"{URL}api/1/composes/", json={}, cert=tuple(map(str, certificate)), timeout=60)


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_certificate_of_another_authority_ends_the_handshake(server, directory):
    stranger = Authority(directory, "strangers").issue("joe", "/DC=test/DC=example/OU=users/UID=joe")
    with pytest.raises(requests.exceptions.ConnectionError):
        post(stranger)


def test_a_certificate_of_a_server_is_none_of_a_client(server, clients):
    certificate = clients.issue("server", "/CN=server", ["server.example.test"])
    with pytest.raises(requests.exceptions.ConnectionError):
        post(certificate)


def test_a_certificate_that_has_expired_ends_the_handshake(server, clients):
    certificate = clients.issue("expired", "/DC=test/DC=example/OU=users/UID=joe", days=-1)
    with pytest.raises(requests.exceptions.ConnectionError):
        post(certificate)


def test_a_revoked_certificate_is_refused(server, revoked):
    answer = post(revoked)

    assert answer.status_code == 401
    assert "revoked" in answer.json()["message"]


def test_a_certificate_is_revoked_without_a_restart(server, clients, settings):
    certificate = clients.issue("lost", "/DC=test/DC=example/OU=users/UID=lost")
    # Known, but without a rule.
    assert post(certificate).status_code == 403
    with open(settings / "revoked", "a") as file:
        file.write(serial(certificate[0]) + "\n")

    wait_until(lambda: post(certificate).status_code == 401)


def test_a_client_cannot_negotiate_a_connection_again(server, services):
    command = ["openssl", "s_client", "-connect", "odcs.example.test:443", "-tls1_2", "-CAfile", services.file]
    client = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    client.stdin.write("R\n")
    client.stdin.flush()

    # The service ends the connection. The program would wait for more input.
    assert client.wait(timeout=60) != 0
    assert "RENEGOTIATING" in client.stdout.read()
    assert requests.get(f"{URL}api/1/about", timeout=60).status_code == 200


def test_a_renewed_certificate_of_the_service_needs_no_restart(server, services, settings):
    def shown():
        return ssl.get_server_certificate(("odcs.example.test", 443))

    before = shown()
    certificate, key = services.issue("odcs-renewed", "/CN=odcs", ["odcs.example.test"])
    for name, file in [("tls.pem", certificate), ("tls-key.pem", key)]:
        (settings / f"{name}.new").symlink_to(file)
        os.rename(settings / f"{name}.new", settings / name)

    wait_until(lambda: shown() != before)
    assert requests.get(f"{URL}api/1/about", timeout=60).status_code == 200
