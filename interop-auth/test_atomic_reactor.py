"""Tests of the three ways by which atomic-reactor logs in."""

import time

import pytest

import reactor
from people import SUBJECTS
from server import TESTS_REPO
from ways import URL


@pytest.fixture
def token_directory(tmp_path, ways):
    (tmp_path / "token").write_text(ways["tokens"].token("joe") + "\n")
    return {"openidc_dir": str(tmp_path)}


@pytest.fixture
def certificate_directory(tmp_path, ways):
    certificate, key = ways["certificates"].options("osbs")["cert"]
    with open(certificate) as one, open(key) as other:
        (tmp_path / "cert").write_text(one.read() + other.read())
    return {"ssl_certs_dir": str(tmp_path)}


@pytest.fixture
def keytab(login, kerberos):
    login("osbs/build1.example.test")
    return {"krb_keytab_path": str(kerberos.keytab_of("osbs/build1.example.test"))}


@pytest.mark.parametrize(
    "auth, owner",
    [
        ("token_directory", "joe"),
        ("certificate_directory", SUBJECTS["osbs"]),
        ("keytab", "osbs/build1.example.test"),
    ],
)
def test_it_makes_and_renews_a_compose(request, server, auth, owner):
    client = reactor.Client(f"{URL}api/1", reactor.session(**request.getfixturevalue(auth)))
    compose = client.start_compose("repo", TESTS_REPO, ["ed"], flags=["no_reuse"])
    assert compose["owner"] == owner

    end = time.monotonic() + 60
    while client.get_compose(compose["id"])["state_name"] in ("wait", "generating"):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert client.get_compose(compose["id"])["state_name"] == "done"
    assert client.renew_compose(compose["id"])["owner"] == owner
