"""Tests of the library of odcs[client] on PyPI, `odcs.client.odcs`."""

import pytest
import requests
from odcs.client.odcs import (
    ODCS,
    AuthMech,
    ComposeLog,
    ComposeSourceGeneric,
    ComposeSourcePulp,
    ComposeSourceRawConfig,
)

# Sources of systems that are not configured. See test_published_command.
REFUSED = {
    "pulp": ComposeSourcePulp(["content-set-1"]),
    "raw_config": ComposeSourceRawConfig("fedora", "main", koji_event=5),
}


def test_new_compose_of_a_repository_is_made(library, tests_repo):
    """Uses the deprecated method, with every option that applies to a repository."""
    asked = library.new_compose(
        tests_repo,
        "repo",
        seconds_to_live=600,
        packages=["ed"],
        flags=["no_deps"],
        results=["repository"],
        arches=["x86_64"],
        lookaside_repos=[f"{tests_repo}/lookaside"],
    )
    compose = library.wait_for_compose(asked["id"], timeout=120)

    assert asked["state_name"] == "wait"
    assert compose["state_name"] == "done"
    assert (compose["packages"], compose["arches"], compose["flags"]) == ("ed", "x86_64", ["no_deps"])
    assert compose["lookaside_repos"] == f"{tests_repo}/lookaside"


def test_request_compose_passes_on_whatever_it_is_given(library, tests_repo):
    source = ComposeSourceGeneric(tests_repo, "repo", packages=["libed"], sigkeys=[""])
    asked = library.request_compose(
        source, seconds_to_live=600, multilib_arches=["x86_64"], multilib_method=["devel"], target_dir="default"
    )
    compose = library.wait_for_compose(asked["id"], timeout=120)

    assert compose["state_name"] == "done"
    assert (compose["multilib_arches"], compose["multilib_method"], compose["target_dir"]) == ("x86_64", 2, "default")


@pytest.mark.parametrize("source_type", REFUSED)
def test_request_compose_of_a_source_type_that_is_not_configured_raises(library, source_type):
    with pytest.raises(requests.HTTPError) as error:
        library.request_compose(REFUSED[source_type])

    assert error.value.response.status_code == 400
    message = error.value.response.json()["message"]
    assert source_type in message
    assert message.endswith(".")


def test_wait_for_compose_returns_the_finished_compose(library, compose_of):
    compose = library.wait_for_compose(compose_of("ed")["id"], timeout=120)

    assert compose["state_name"] == "done"
    assert compose["time_done"] is not None


def test_wait_for_compose_gives_up_when_its_time_is_over(library, compose_of, repository):
    with repository.held() as gate:
        id = compose_of("ed", source=gate.address)["id"]
        with pytest.raises(RuntimeError, match=f"compose {id} timed out"):
            library.wait_for_compose(id, timeout=2)


def test_find_composes_filters_orders_and_pages(library, compose_of):
    ids = [compose_of("ed")["id"], compose_of("libed")["id"], compose_of("no-such-package")["id"]]
    for id in ids:
        library.wait_for_compose(id, timeout=120)

    failed = library.find_composes(state=4, order_by="id", per_page=100)
    assert ids[2] in [compose["id"] for compose in failed["items"]]
    assert {compose["state_name"] for compose in failed["items"]} == {"failed"}

    newest = library.find_composes(source_type=3, order_by="-id", page=1, per_page=2)
    assert [compose["id"] for compose in newest["items"]] == [ids[2], ids[1]]
    second = library.find_composes(source_type=3, order_by="-id", page=2, per_page=2)
    assert second["items"][0]["id"] == ids[0]
    assert (second["meta"]["page"], second["meta"]["per_page"]) == (2, 2)
    assert second["meta"]["total"] >= 3
    assert requests.get(second["meta"]["prev"], timeout=60).json()["items"] == newest["items"]

    assert library.find_composes(owner="nobody-at-all")["items"] == []


@pytest.mark.parametrize("order_by", ["id", "owner", "source_type", "koji_event", "state", "time_to_expire", "time_submitted",
                                      "time_done", "time_removed"])  # fmt: skip
def test_find_composes_knows_every_order(library, order_by):
    assert "items" in library.find_composes(order_by=order_by)
    assert "items" in library.find_composes(order_by="-" + order_by)


def test_the_log_is_read_piece_by_piece(library, compose_of, repository):
    with repository.held() as before, repository.held() as gate:
        compose_of("ed", source=before.address)
        before.wait_until_asked()
        compose = compose_of("ed", source=gate.address)
        log = ComposeLog(compose)
        assert log.read() is None
        before.open()
        gate.wait_until_asked()
        beginning = log.read()
        assert beginning
        assert log.read() == ""
        gate.open()
        done = library.wait_for_compose(compose["id"], timeout=120)
    rest = log.read()

    assert log.read() == ""
    whole = requests.get(done["toplevel_url"] + "/pungi-stderr.log", timeout=60).text
    assert beginning + rest == whole


def test_renew_compose_makes_it_live_longer(library, compose_of):
    compose = library.wait_for_compose(compose_of("ed", seconds_to_live=60)["id"], timeout=120)
    renewed = library.renew_compose(compose["id"], seconds_to_live=600)

    assert renewed["id"] == compose["id"]
    assert renewed["time_to_expire"] > compose["time_to_expire"]


def test_renew_compose_while_it_is_made_raises(library, compose_of, repository):
    with repository.held() as gate:
        id = compose_of("ed", source=gate.address)["id"]
        with pytest.raises(requests.HTTPError) as error:
            library.renew_compose(id)

    assert error.value.response.status_code == 404


def test_delete_compose_is_acknowledged(library, done):
    assert library.delete_compose(done["id"])["status"] == 202


def test_about_names_the_service(library):
    assert library.about()["version"]


@pytest.mark.parametrize("mechanism", [AuthMech.Anonymous, AuthMech.OpenIDC, AuthMech.Kerberos, AuthMech.SSL])
def test_every_way_of_authentication_is_served(wire, tests_repo, tmp_path, mechanism):
    certificate = tmp_path / "certificate.pem"
    certificate.touch()
    credentials = {
        AuthMech.OpenIDC: {"openidc_token": "a-token"},
        AuthMech.SSL: {"ssl_cert": str(certificate), "ssl_key": str(certificate)},
    }
    client = ODCS(wire.url, auth_mech=mechanism, **credentials.get(mechanism, {}))
    compose = client.request_compose(ComposeSourceGeneric(tests_repo, "repo", packages=["ed"]))

    assert client.wait_for_compose(compose["id"], timeout=120)["state_name"] == "done"
    assert client.get_compose(compose["id"])["owner"] == compose["owner"]
    client.renew_compose(compose["id"])
    token = wire.exchanges[0].headers["Authorization"]
    assert token == ("Bearer a-token" if mechanism == AuthMech.OpenIDC else None)


def test_a_caller_that_asks_again_after_503_is_served(library, compose_of, wire):
    wire.refuse_next(503)
    with pytest.raises(requests.HTTPError) as error:
        compose_of("ed")
    assert error.value.response.status_code == 503

    assert library.wait_for_compose(compose_of("ed")["id"], timeout=120)["state_name"] == "done"
