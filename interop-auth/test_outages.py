"""Tests of the service while the systems that know its users are away."""

import os
from concurrent.futures import ThreadPoolExecutor

import requests
import requests_gssapi

import groups
from conftest import URL

TESTS_REPO = os.environ["INTEROP_TESTS_REPO"]


def ask(_):
    auth = requests_gssapi.HTTPSPNEGOAuth(opportunistic_auth=True)
    body = {"source": {"type": "repo", "source": TESTS_REPO, "packages": ["ed"]}}
    return requests.post(f"{URL}api/1/composes/", json=body, auth=auth, timeout=60).status_code


def statuses(count):
    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(ask, range(count)))


def test_a_directory_that_is_away_gives_no_401(login, ldap):
    login("joe")
    assert statuses(8) == {200}
    ldap.slapd.end()
    try:
        # Groups that are known count for an hour more.
        assert statuses(40) == {200}
        login("jane")
        assert statuses(8) == {503}
    finally:
        ldap.slapd.start()


def test_a_kdc_that_is_away_stops_only_new_tickets(login, kerberos):
    login("joe")
    assert statuses(4) == {200}
    kerberos.kdc.end()
    try:
        assert statuses(40) == {200}
    finally:
        kerberos.kdc.start()


def test_a_keytab_that_is_away_gives_503(login, kerberos):
    login("joe")
    assert statuses(4) == {200}
    keytab = kerberos.directory / "HTTP-odcs.example.test.keytab"
    aside = keytab.rename(keytab.with_suffix(".aside"))
    try:
        assert statuses(8) == {503}
    finally:
        aside.rename(keytab)


def test_the_log_has_no_secrets(directory, server):
    log = (directory / "server.log").read_text()

    assert groups.PASSWORD not in log
    # Tokens of SPNEGO begin like this.
    assert "YII" not in log
