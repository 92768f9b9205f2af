"""Tests of logins with Kerberos beyond the table of rights."""

import subprocess

import pytest
import requests
import requests_gssapi

from ways import URL


@pytest.mark.parametrize(
    "mutual", [requests_gssapi.REQUIRED, requests_gssapi.OPTIONAL, requests_gssapi.DISABLED]
)
def test_the_service_proves_who_it_is(login, mutual):
    login("joe")
    answer = requests.get(
        f"{URL}api/1/me", auth=requests_gssapi.HTTPSPNEGOAuth(mutual_authentication=mutual), timeout=60
    )

    assert answer.status_code == 200


def test_curl_logs_in(login, services):
    login("joe")
    command = ["curl", "--silent", "--cacert", services.file, "--negotiate", "--user", ":", f"{URL}api/1/me"]

    assert '"joe"' in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_key_that_was_changed_is_read_without_a_restart(login, settings, kerberos, ways):
    """Tickets from the time before the change work, because the old key stays in the keytab."""
    kinds = ways["kerberos"]
    assert kinds.call("joe", "GET", "api/1/me").status_code == 200
    new = settings / "http.keytab.new"
    new.write_bytes((settings / "http.keytab").read_bytes())
    kerberos.change_key("HTTP/odcs.example.test", new)
    new.rename(settings / "http.keytab")

    assert kinds.call("joe", "GET", "api/1/me").status_code == 200
    login("bob")
    answer = requests.get(f"{URL}api/1/me", auth=requests_gssapi.HTTPSPNEGOAuth(), timeout=60)
    assert answer.status_code == 200


def test_the_ticket_of_a_browser_begins_a_session(login, services):
    """A browser answers the challenge of /login with its ticket. From then on it shows the cookie."""
    login("joe")
    browser = requests.Session()
    answer = browser.get(f"{URL}login?return_to=/me", auth=requests_gssapi.HTTPSPNEGOAuth(), timeout=60)

    assert answer.url == f"{URL}me", answer.text
    assert "<bdi>joe</bdi>" in answer.text
    cookie = next(cookie for cookie in browser.cookies if cookie.name == "__Host-odcs")
    assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly")
    assert "<bdi>joe</bdi>" in browser.get(f"{URL}me", timeout=60).text
    # Addresses of the API read no cookies.
    assert browser.get(f"{URL}api/1/me", timeout=60).status_code == 401


def test_a_browser_without_a_ticket_is_asked_for_one(services):
    answer = requests.get(f"{URL}login", headers={"Accept": "text/html"}, timeout=60)

    assert answer.status_code == 401
    assert "Negotiate" in [challenge.strip() for challenge in answer.headers["WWW-Authenticate"].split(",")]
    assert "Your browser has shown no ticket." in answer.text
    assert "__Host-odcs" not in answer.cookies
