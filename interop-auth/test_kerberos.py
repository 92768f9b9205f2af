"""Tests of logins with Kerberos, by the library of odcs[client] on PyPI."""

import os

import pytest
import requests
import requests_gssapi
from odcs.client.odcs import ODCS, AuthMech

from conftest import URL

TESTS_REPO = os.environ["INTEROP_TESTS_REPO"]


def library():
    return ODCS(URL, auth_mech=AuthMech.Kerberos)


def new_compose():
    return library().new_compose(TESTS_REPO, "repo", packages=["ed"], flags=["no_reuse"])


def test_a_person_of_a_group_makes_a_compose(login):
    login("joe")
    compose = new_compose()

    assert compose["owner"] == "joe"
    assert library().wait_for_compose(compose["id"], timeout=120)["state_name"] == "done"


def test_a_person_without_a_group_is_refused(login):
    login("jane")
    with pytest.raises(requests.HTTPError) as error:
        new_compose()

    assert error.value.response.status_code == 403


def test_a_host_is_known_by_its_principal(login):
    """atomic-reactor logs in with the keytab of a host in KRB5_CLIENT_KTNAME."""
    login("osbs/build1.example.test")
    answer = requests.get(f"{URL}api/1/me", auth=requests_gssapi.HTTPSPNEGOAuth(opportunistic_auth=True))

    assert answer.status_code == 200
    assert "osbs/build1.example.test" in answer.text


@pytest.mark.parametrize(
    "mutual", [requests_gssapi.REQUIRED, requests_gssapi.OPTIONAL, requests_gssapi.DISABLED]
)
def test_the_service_proves_who_it_is(login, mutual):
    login("joe")
    answer = requests.get(f"{URL}api/1/me", auth=requests_gssapi.HTTPSPNEGOAuth(mutual_authentication=mutual))

    assert answer.status_code == 200


def test_a_request_without_a_ticket_is_asked_for_one(server):
    answer = requests.post(f"{URL}api/1/composes/", json={"source": {"type": "repo", "source": TESTS_REPO}})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Negotiate"
