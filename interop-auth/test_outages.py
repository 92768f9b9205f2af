"""Tests of the service under load, while the systems that know its users are killed one by one.

A client must never get 401 for an outage: it would throw its tickets away. It may get 503 with the time
after which to ask again.
"""

import itertools
import signal

import pytest
import requests
import requests_gssapi

from load import Load
from server import TESTS_REPO
from ways import URL

REQUEST = {"source": {"type": "repo", "source": TESTS_REPO, "packages": ["ed"]}}


@pytest.fixture
def callers(ways):
    """Callers with all kinds of credentials that the service has seen before."""

    def post(way, person="joe"):
        return lambda: ways[way].call(person, "POST", "api/1/composes/", json=REQUEST)

    everybody = {name: post(name) for name in ways}
    for call in everybody.values():
        assert call().status_code == 200
    return everybody


def test_the_openid_provider_is_killed(callers, provider):
    # Tokens that the service has not seen have to exist before the provider is killed.
    unseen = iter(provider.new_opaque_tokens("joe", 1000))

    def unseen_token():
        header = {"Authorization": f"Bearer {next(unseen)}"}
        return requests.get(f"{URL}api/1/me", headers=header, timeout=60)

    callers["an opaque token that was not seen"] = unseen_token
    with Load(callers) as load:
        with load.without(provider.program):
            pass
        load.wait_until_well()
    load.assert_at_most_away()
    load.assert_well(*[name for name in callers if name != "an opaque token that was not seen"])
    assert 503 in load.statuses("an opaque token that was not seen")


def test_the_openid_provider_is_away_when_the_service_starts(ways, server, provider):
    provider.program.end(signal.SIGKILL)
    try:
        server.restart()
        answer = ways["openid"].call("joe", "GET", "api/1/me")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert ways["kerberos"].call("joe", "GET", "api/1/me").status_code == 200
    finally:
        provider.program.start()
    with Load({"openid": lambda: ways["openid"].call("joe", "GET", "api/1/me")}) as load:
        load.wait_until_well()
    load.assert_at_most_away()


def test_the_directory_is_killed(callers, ways, ldap):
    # People whose groups the service has not asked for yet.
    strangers = (f"stranger{number}" for number in itertools.count())
    names = [next(strangers) for _ in range(8)]
    kinds = ways["kerberos"]
    logins = itertools.cycle([(kinds, name) for name in names])
    for name in names:
        kinds.credentials(name)

    def stranger():
        way, name = next(logins)
        return way.call(name, "GET", "api/1/me")

    with Load(callers) as load:
        with load.without(ldap.slapd):
            with Load({"a person whose groups are not known": stranger}) as strangers:
                strangers.wait_for_more(20)
            strangers.assert_at_most_away()
            assert strangers.statuses("a person whose groups are not known") == {503}
        with Load({"a person whose groups are not known": stranger}) as strangers:
            strangers.wait_until_well()
        strangers.assert_at_most_away()
    load.assert_at_most_away()
    load.assert_well(*callers)


def test_the_systems_stand_still(callers, ways, provider, ldap):
    """A server that accepts connections and answers nothing must not hold up the others."""
    unseen = iter(provider.new_opaque_tokens("joe", 1000))
    ways["kerberos"].credentials("nobody")

    def unseen_token():
        header = {"Authorization": f"Bearer {next(unseen)}"}
        return requests.get(f"{URL}api/1/me", headers=header, timeout=60)

    doubtful = {
        "an opaque token that was not seen": unseen_token,
        "a person whose groups are not known": lambda: ways["kerberos"].call("nobody", "GET", "api/1/me"),
    }
    with Load({**callers, **doubtful}) as load:
        with load.while_still(provider.program, ldap.slapd):
            pass
        load.wait_until_well()
    load.assert_at_most_away()
    load.assert_well(*callers)


def test_the_kdc_is_killed(callers, kerberos):
    with Load(callers) as load:
        with load.without(kerberos.kdc):
            pass
    load.assert_well(*callers)


def test_the_login_program_of_nginx_is_killed(callers, proxy):
    with Load(callers) as load:
        with load.without(proxy.login_program):
            pass
        load.wait_until_well()
    load.assert_at_most_away()
    load.assert_well(*[name for name in callers if name != "nginx-login"])
    assert 503 in load.statuses("nginx-login")


def test_the_keytab_is_away(callers, settings):
    keytab, away = settings / "http.keytab", settings / "http.keytab.away"
    with Load(callers) as load:
        keytab.rename(away)
        try:
            load.wait_for_more()
        finally:
            away.rename(keytab)
        load.wait_until_well()
    load.assert_at_most_away()
    load.assert_well(*[name for name in callers if name != "kerberos"])
    assert 503 in load.statuses("kerberos")
