"""Tests of the library and the command of odcs[client] on PyPI, unmodified."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from odcs.client.odcs import ODCS, AuthMech

import openid
import people
from server import TESTS_REPO
from ways import URL

COMMAND = Path(sys.executable).parent / "odcs"

# Opens an address as a browser does, and follows the redirections. The command waits for one request.
BROWSER = """#!/bin/sh
exec curl --silent --location --cacert {authority} --output {page} "$1"
"""


def new_compose(library):
    return library.new_compose(TESTS_REPO, "repo", packages=["ed"], flags=["no_reuse"])


@pytest.fixture
def libraries(login, ways, provider, server):
    """The library with each mechanism that it has, as the person joe."""
    login("joe")
    certificate, key = ways["certificates"].options("joe")["cert"]
    return {
        "kerberos": ODCS(URL, auth_mech=AuthMech.Kerberos),
        "openid": ODCS(URL, auth_mech=AuthMech.OpenIDC, openidc_token=provider.token("joe")),
        "opaque": ODCS(URL, auth_mech=AuthMech.OpenIDC, openidc_token=provider.opaque_token("joe")),
        "tokens": ODCS(URL, auth_mech=AuthMech.OpenIDC, openidc_token=ways["tokens"].token("joe")),
        "certificates": ODCS(URL, auth_mech=AuthMech.SSL, ssl_cert=certificate, ssl_key=key),
    }


@pytest.mark.parametrize("way", ["kerberos", "openid", "opaque", "tokens", "certificates"])
def test_the_library_makes_renews_and_deletes_a_compose(libraries, ways, way):
    library = libraries[way]
    compose = new_compose(library)
    assert compose["owner"] == ways[way].account("joe")
    assert library.wait_for_compose(compose["id"], timeout=120)["state_name"] == "done"

    assert library.renew_compose(compose["id"], seconds_to_live=3600)["id"] == compose["id"]
    found = library.find_composes(owner=compose["owner"])["items"]
    assert compose["id"] in [item["id"] for item in found]
    assert library.delete_compose(compose["id"])["status"] == 202
    assert "allowed_clients" in library.about()


def test_the_library_is_refused_without_a_rule(login, server):
    login("jane")
    with pytest.raises(requests.HTTPError) as error:
        new_compose(ODCS(URL, auth_mech=AuthMech.Kerberos))

    assert error.value.response.status_code == 403


@pytest.fixture
def run(tmp_path, server):
    """Runs the command with its settings file. Example: `run("about")`."""
    (tmp_path / ".config").mkdir()
    (tmp_path / ".cache").mkdir()

    def run(*arguments, issuer=openid.MAIN, **variables):
        (tmp_path / ".config" / "odcs.toml").write_text(
            f"""
            [redhat.prod]
            url = "{URL}"
            id_provider = "{issuer}/protocol/openid-connect/"
            oidc_authz_code_client_id = "odcs-command"
            """
        )
        return subprocess.run(
            [COMMAND, "--quiet", *map(str, arguments)],
            env={**os.environ, "HOME": str(tmp_path), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


CREATE = ["create-tag", "f26-updates", "ed", "--flag", "no_deps"]


@pytest.mark.parametrize("issuer, owner", [(openid.MAIN, "service-nightly"), (openid.FEDORA, "fedora/nightly")])
def test_the_command_logs_in_with_client_credentials(run, provider, issuer, owner):
    answer = run(*CREATE, issuer=issuer, OIDC_CLIENT_ID="nightly", OIDC_CLIENT_SECRET=openid.NIGHTLY)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    compose = json.loads(answer.stdout)
    assert (compose["owner"], compose["state_name"]) == (owner, "done")


def test_the_command_lacks_a_scope(run, provider):
    """The provider gives the program only the scope for new composes."""
    credentials = {"OIDC_CLIENT_ID": "nightly", "OIDC_CLIENT_SECRET": openid.NIGHTLY}
    compose = json.loads(run(*CREATE, **credentials).stdout)
    answer = run("renew", compose["id"], **credentials)

    assert answer.returncode != 0
    assert "renew-compose" in json.loads(answer.stdout)["message"]


def test_the_command_logs_in_with_a_browser_and_refreshes_its_token(run, provider, tmp_path, services):
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(authority=services.file, page=tmp_path / "page"))
    browser.chmod(0o755)
    variables = {"DISPLAY": ":0", "BROWSER": f"{browser} %s &"}

    first = run(*CREATE, **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    assert json.loads(first.stdout)["owner"] == "joe"

    [cache] = (tmp_path / ".cache").glob("odcs_auth_token_*.json")
    kept = json.loads(cache.read_text())
    people.secret(kept["access_token"]), people.secret(kept["refresh_token"])
    # The token lives for 20 seconds, which is what the command regards as expired.
    second = run(*CREATE, **variables)
    assert second.returncode == 0, second.stdout + second.stderr
    assert json.loads(cache.read_text())["access_token"] != kept["access_token"]


def test_the_command_logs_in_with_kerberos(run, login):
    login("joe")
    answer = run(*CREATE, NO_OIDC_AUTHZ_CODE="1")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads(answer.stdout)["owner"] == "joe"


def test_the_command_without_any_login_is_asked_for_one(run, monkeypatch, server, tmp_path):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", f"{tmp_path}/none.keytab")
    answer = run(*CREATE, NO_OIDC_AUTHZ_CODE="1")

    assert answer.returncode != 0
    # It prints the answer, and a hint for Kerberos after it.
    assert '"status":401' in answer.stdout
