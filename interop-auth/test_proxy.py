"""Tests of what a client could do about the headers by which nginx names people."""

import pytest
import requests

import nginx
from server import TESTS_REPO
from ways import CERTIFICATES_AT_NGINX, LOGIN_AT_NGINX, URL

REQUEST = {"source": {"type": "repo", "source": TESTS_REPO, "packages": ["ed"]}}
FORGED = {"X-Remote-User": "alice", "X-Remote-Groups": "odcs-admins", "X-Proxy-Secret": nginx.SECRET}


def post(url, **options):
    return requests.post(f"{url}api/1/composes/", json=REQUEST, timeout=60, **options).status_code


@pytest.mark.parametrize("url", [CERTIFICATES_AT_NGINX, LOGIN_AT_NGINX])
def test_a_client_cannot_name_itself_through_nginx(proxy, url):
    assert post(url, headers=FORGED) == 401
    assert post(url, headers={"x-remote-USER": "alice"}) == 401
    assert post(url, headers={"X_Remote_User": "alice", "X_Remote_Groups": "odcs-admins"}) == 401


def test_a_client_cannot_name_itself_to_the_service_that_has_no_proxy(proxy):
    assert post(URL, headers=FORGED) == 401


def test_another_program_of_the_host_does_not_know_the_secret(proxy):
    behind = "http://127.0.0.1:5005/"
    assert post(behind, headers={**FORGED, "X-Proxy-Secret": "of-another-program"}) == 401
    assert post(behind, headers={"X-Remote-User": "alice"}) == 401
    assert post(behind, headers=FORGED) == 200


def test_a_person_gets_no_groups_by_a_header(proxy, ways):
    way = ways["nginx-login"]
    answer = way.call("jane", "GET", "api/1/me", headers={"X-Remote-Groups": "odcs-admins"}).json()

    assert (answer["account"], answer.get("groups")) == ("jane", [])


def test_a_token_of_a_client_does_not_pass_nginx(proxy, ways):
    """The server behind nginx believes nginx alone."""
    header = {"X-API-Key": ways["tokens"].token("joe")}
    assert post(CERTIFICATES_AT_NGINX, headers=header) == 401
