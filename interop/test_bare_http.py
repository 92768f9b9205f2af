"""Tests of the behavior on which callers without the published client depend."""

import configparser
import re
import time
import uuid

import requests

from repodata import fetch, package_names

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATES = {"wait": 0, "generating": 1, "done": 2, "removed": 3, "failed": 4}


def get(api, compose):
    return api("GET", f"composes/{compose['id']}").json()


def wait_until_removed(library, id):
    """Polls until the compose is removed.

    A client gets no notice of it. The next expiry run is about a second away.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        compose = library.get_compose(id)
        if compose["state_name"] == "removed":
            return compose
        time.sleep(0.2)
    raise AssertionError(f"compose {id} is still {compose['state_name']}")


def test_times_are_utc_with_whole_seconds(api, done):
    times = {name: value for name, value in get(api, done).items() if name.startswith("time_")}

    assert times.keys() == {"time_submitted", "time_started", "time_done", "time_to_expire", "time_removed"}
    assert times.pop("time_removed") is None
    assert all(TIME.fullmatch(value) for value in times.values()), times


def test_lists_are_one_string_in_the_callers_order(api, tests_repo):
    source = {
        "type": "repo",
        "source": tests_repo,
        "packages": ["libed", "ed", "ed-doc"],
        "sigkeys": ["fd431d51", "", "db42a60e"],
        "builds": ["libed-1.1-2", "ed-1.20-3"],
    }
    answer = api("POST", "composes/", {"source": source, "arches": ["x86_64", "aarch64"], "seconds_to_live": 60})

    assert answer.status_code == 200
    compose = answer.json()
    assert compose["packages"] == "libed ed ed-doc"
    assert [key.lower() for key in compose["sigkeys"].split(" ")] == ["fd431d51", "", "db42a60e"]
    assert compose["builds"] == "libed-1.1-2 ed-1.20-3"
    assert compose["arches"] == "x86_64 aarch64"
    assert compose["source"] == tests_repo


def test_the_state_is_a_number_and_a_name(api, library, done, compose_of):
    failed = library.wait_for_compose(compose_of("no-such-package")["id"], timeout=120)
    waiting = compose_of("ed")

    for compose, name in [(done, "done"), (failed, "failed"), (waiting, "wait")]:
        assert (compose["state_name"], compose["state"]) == (name, STATES[name])


def test_the_reason_is_a_string_once_the_state_is_final(library, done, compose_of):
    failed = library.wait_for_compose(compose_of("no-such-package")["id"], timeout=120)

    assert isinstance(done["state_reason"], str) and done["state_reason"]
    assert "no-such-package" in failed["state_reason"]


def test_an_empty_list_of_packages_means_all(api, library, tests_repo):
    source = {"type": "repo", "source": tests_repo, "packages": []}
    asked = api("POST", "composes/", {"source": source, "arches": ["x86_64"]}).json()
    compose = library.wait_for_compose(asked["id"], timeout=120)

    assert compose["state_name"] == "done", compose["state_reason"]
    names = package_names(f"{compose['result_repo']}/x86_64/os")
    assert {"ed", "libed", "ed-tutor", "broken-app", "ed-words"} <= names


def test_the_repository_file_is_an_ini_file_whose_sections_no_other_compose_has(library, done, compose_of):
    other = library.wait_for_compose(compose_of("ed-doc")["id"], timeout=120)
    sections = []
    for compose in (done, other):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read_string(fetch(compose["result_repofile"]).decode())
        sections += ini.sections()
        section = ini[f"odcs-{compose['id']}"]
        assert section["enabled"] == "1"
        base = section["baseurl"].replace("$basearch", "x86_64")
        assert requests.get(f"{base}/repodata/repomd.xml", timeout=60).status_code == 200

    assert len(sections) == len(set(sections))


def test_the_repository_of_each_architecture_is_below_the_result(done):
    fetch(f"{done['result_repo']}/x86_64/os/")
    assert "ed" in package_names(f"{done['result_repo']}/x86_64/os")


def test_a_compose_is_renewed_from_its_record_when_its_files_are_gone(api, library, done):
    api("DELETE", f"composes/{done['id']}")
    removed = wait_until_removed(library, done["id"])
    assert TIME.fullmatch(removed["time_removed"])
    assert removed["removed_by"]

    answer = api("PATCH", f"composes/{done['id']}")
    assert answer.status_code == 200
    again = library.wait_for_compose(answer.json()["id"], timeout=120)
    assert again["id"] != done["id"]
    assert again["state_name"] == "done", again["state_reason"]
    asked = ("source_type", "source", "packages", "arches", "sigkeys", "flags", "koji_event")
    assert [again[name] for name in asked] == [done[name] for name in asked]
    assert "ed" in package_names(f"{again['result_repo']}/x86_64/os")


def test_an_id_answers_after_the_compose_is_gone(api, library, done):
    api("DELETE", f"composes/{done['id']}")
    wait_until_removed(library, done["id"])

    answer = api("GET", f"composes/{done['id']}")
    assert answer.status_code == 200
    assert answer.json()["state"] == STATES["removed"]


def test_a_compose_that_is_made_or_waits_can_be_canceled(api, repository, compose_of):
    with repository.held() as gate:
        made = compose_of("ed", source=gate.address)
        gate.wait_until_asked()
        waits = compose_of("ed")
        assert get(api, made)["state_name"] == "generating"
        assert get(api, waits)["state_name"] == "wait"

        for compose in (made, waits):
            answer = api("DELETE", f"composes/{compose['id']}")
            assert (answer.status_code, answer.json()["status"]) == (202, 202)
            canceled = get(api, compose)
            assert canceled["state_name"] == "failed"
            assert canceled["state_reason"].startswith("Canceled by ")


def test_a_worker_goes_on_after_a_compose_was_canceled_under_its_hands(api, library, repository, compose_of):
    with repository.held() as gate:
        made = compose_of("ed", source=gate.address)
        gate.wait_until_asked()
        api("DELETE", f"composes/{made['id']}")
        # The gate stays closed until the next compose is done.
        assert library.wait_for_compose(compose_of("ed")["id"], timeout=60)["state_name"] == "done"


def test_a_post_whose_answer_was_lost_is_repeated_with_its_key_and_makes_one_compose(api, wire, library, tests_repo):
    label = f"RC-1.{uuid.uuid4().int % 10**6}"
    body = {"source": {"type": "repo", "source": tests_repo, "packages": ["ed"]}, "label": label}
    key = {"Idempotency-Key": str(uuid.uuid4())}

    wire.lose_next_answer(503)
    assert api("POST", "composes/", body, headers=key).status_code == 503
    again = api("POST", "composes/", body, headers=key)
    assert again.status_code == 200
    assert [compose["id"] for compose in library.find_composes(label=label)["items"]] == [again.json()["id"]]


def test_a_renewal_whose_answer_was_lost_is_repeated_with_its_key_and_makes_one_compose(api, wire, library, done):
    label = f"RC-2.{uuid.uuid4().int % 10**6}"
    key = {"Idempotency-Key": str(uuid.uuid4())}

    wire.lose_next_answer(503)
    assert api("PATCH", f"composes/{done['id']}", {"label": label}, headers=key).status_code == 503
    again = api("PATCH", f"composes/{done['id']}", {"label": label}, headers=key)
    assert again.status_code == 200
    assert [compose["id"] for compose in library.find_composes(label=label)["items"]] == [again.json()["id"]]


def test_two_plain_posts_are_two_composes(api, tests_repo):
    body = {"source": {"type": "repo", "source": tests_repo, "packages": ["ed"]}}

    assert api("POST", "composes/", body).json()["id"] != api("POST", "composes/", body).json()["id"]
