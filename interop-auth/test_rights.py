"""The table of rights, for each way to log in.

The parts are those of people.py: the owner joe, another client bob, rita whose rule does not allow the
request, jane without a rule, and the admin alice.
"""

import time

import pytest
import requests

import ways as kinds
from server import TESTS_REPO

WAYS = ["kerberos", "tokens", "openid", "opaque", "certificates", "nginx-certificates", "nginx-login"]
REQUEST = {"source": {"type": "repo", "source": TESTS_REPO, "packages": ["ed"]}}
PEOPLE = ["joe", "bob", "rita", "jane", "alice"]


@pytest.fixture(params=WAYS)
def way(request, ways):
    return ways[request.param]


def test_each_part_may_do_what_the_table_says(way):
    # What everybody may read, with and without credentials.
    for person in [None, *PEOPLE]:
        for path in ["", "api/1/", "api/1/composes/", "api/1/about", "api/1/watches/"]:
            assert_status(way, person, "GET", path, 200)
    for person in PEOPLE:
        me = way.call(person, "GET", "api/1/me").json()
        assert me["account"] == way.account(person)
    assert_status(way, None, "GET", "api/1/me", 401)

    old_form = {"source_type": "repo", "source": TESTS_REPO, "packages": ["ed"]}
    for path, body in [("odcs/1/composes/", old_form), ("api/1/composes/", REQUEST)]:
        statuses = {None: 401, "rita": 403, "jane": 403, "bob": 200, "alice": 200, "joe": 200}
        answers = {
            person: assert_status(way, person, "POST", path, status, json=body) for person, status in statuses.items()
        }
    compose = answers["joe"].json()
    assert compose["owner"] == way.account("joe")
    path = f"api/1/composes/{compose['id']}"
    wait_until_done(path)

    for person, status in {None: 401, "rita": 403, "jane": 403, "bob": 200, "alice": 200, "joe": 200}.items():
        assert_status(way, person, "PATCH", path, status)
    for person, status in {None: 401, "rita": 403, "jane": 403, "bob": 403, "joe": 202}.items():
        assert_status(way, person, "DELETE", path, status)
    others = answers["bob"].json()["id"]
    assert_status(way, "alice", "DELETE", f"api/1/composes/{others}", 202)

    # A write does not say whether the object exists.
    for person, status in {None: 401, "jane": 403, "joe": 404}.items():
        assert_status(way, person, "PATCH", "api/1/composes/999999", status)
    for person, status in {None: 401, "rita": 403, "jane": 403, "joe": 403, "alice": 200}.items():
        assert_status(way, person, "GET", "api/1/audit", status)


@pytest.mark.parametrize("name", [name for name in WAYS if "certificates" not in name])
def test_wrong_credentials_are_refused_even_where_none_are_needed(ways, name):
    """A wrong certificate ends the handshake, which test_tls.py shows."""
    way = ways[name]
    for path in ["api/1/composes/", "api/1/about"]:
        answer = requests.get(way.url + path, timeout=60, **way.wrong)
        assert answer.status_code == 401


def test_a_401_names_each_way_in_a_line_of_its_own(server):
    answer = requests.post(kinds.URL + "api/1/composes/", json=REQUEST, timeout=60)

    assert answer.status_code == 401
    assert answer.raw.headers.getlist("WWW-Authenticate") == ['Bearer realm="odcs"', "Negotiate"]


def test_a_job_of_the_ci_service_makes_composes_of_its_workload(server, provider):
    def post(**claims):
        header = {"Authorization": f"Bearer {provider.job_token(**claims)}"}
        return requests.post(kinds.URL + "api/1/composes/", json=REQUEST, headers=header, timeout=60)

    assert post().json()["owner"] == "ci/lockfiles"
    assert post(ref="refs/heads/other").status_code == 403
    assert post(repository_id="654321").status_code == 403
    assert post(aud="https://other.example.test").status_code == 401


def test_a_person_differs_from_one_of_the_same_name_at_another_provider(ways):
    assert ways["opaque"].call("joe", "GET", "api/1/me").json()["account"] == "fedora/joe"
    assert ways["openid"].call("joe", "GET", "api/1/me").json()["account"] == "joe"


def assert_status(way, person, method, path, status, **options):
    answer = way.call(person, method, path, **options)
    what = f"{person or 'a stranger'}: {method} {path}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code == status, what
    return answer


def wait_until_done(path):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        compose = requests.get(kinds.URL + path, timeout=60).json()
        if compose["state_name"] not in ("wait", "generating"):
            assert compose["state_name"] == "done", compose["state_reason"]
            return
        time.sleep(0.1)
    raise AssertionError("the compose is not done in a minute")
