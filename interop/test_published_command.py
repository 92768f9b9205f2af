"""Tests of every command of the published client, `odcs` of odcs[client] on PyPI."""

import json
import re
import threading

import pytest
import requests

# The command for each source type that the service refuses in this suite. The refusal must contain
# the key. If the service makes composes of a type in this suite, remove the row of the type, and add
# a test that makes a compose.
REFUSED = {
    "pulp": ["create-pulp", "content-set-1", "content-set-2", "--flag", "ignore_absent_pulp_repos"],
    "raw_config": ["create-raw-config", "fedora", "main", "--label", "RC-1.0", "--compose-type", "test", "--koji-event", "5"],
}  # fmt: skip

# The deprecated command, for the types that it knows. It regards the builds in its arguments as
# packages.
REFUSED_OF_CREATE = {
    "build": ["create", "build", "", "ed-1.20-3"],
    "pulp": ["create", "pulp", "content-set-1"],
    "raw_config": ["create", "raw_config", "fedora#main"],
}

WAITING = re.compile(r"^Waiting for command (\S+) on compose (\d+) to finish\.$", re.MULTILINE)


def test_about_is_asked_for_without_a_slash_and_answered(odcs, wire):
    run = odcs("about")

    assert run.status == 0
    assert {"version", "auth_backend", "allowed_clients", "raw_config_urls", "sigkeys"} <= run.result.keys()
    assert wire.lines == ["GET /api/1/about 200"]


def test_about_is_answered_to_a_client_that_sends_traces(odcs):
    assert odcs("about", OTEL_EXPORTER_OTLP_ENDPOINT="console").status == 0


def test_get_prints_the_compose(odcs, done):
    run = odcs("get", done["id"])

    assert run.status == 0
    assert run.result["id"] == done["id"]
    assert run.result["result_repofile"] == done["result_repofile"]


def test_get_of_a_compose_that_is_not_prints_why_and_fails(odcs):
    run = odcs("get", "999999")

    assert run.status == 255
    answer = json.loads(run.out)
    assert (answer["status"], answer["error"]) == (404, "Not Found")
    assert "999999" in answer["message"]


def test_wait_stays_until_the_compose_is_done(begin, repository, compose_of, wire):
    with repository.held() as gate:
        id = compose_of("ed", source=gate.address)["id"]
        waiting = begin("wait", id)
        gate.wait_until_asked()
        wire.wait_for(lambda exchange: exchange.method == "GET" and exchange.path == f"/api/1/composes/{id}")
        gate.open()
        out, _ = waiting.communicate(timeout=120)

    assert waiting.returncode == 0
    assert WAITING.match(out).groups() == ("wait", str(id))
    assert json.loads(out[out.index("{") :])["state_name"] == "done"


def test_wait_for_a_compose_that_fails_ends_with_status_1(odcs, compose_of):
    run = odcs("wait", compose_of("no-such-package")["id"])

    assert run.status == 1
    assert run.result["state_name"] == "failed"
    assert "no-such-package" in run.result["state_reason"]


def test_quiet_leaves_the_waiting_out(odcs, compose_of):
    run = odcs("--quiet", "wait", compose_of("ed")["id"])

    assert run.status == 0
    assert run.out.startswith("{")
    assert run.result["state_name"] == "done"


def test_no_wait_prints_what_is(odcs, repository, compose_of):
    with repository.held() as gate:
        id = compose_of("ed", source=gate.address)["id"]
        run = odcs("--no-wait", "wait", id)

    assert run.status == 0
    assert run.out.startswith("{")
    assert run.result["state_name"] in ("wait", "generating")


def test_watch_reads_the_log_by_range_from_before_it_exists_to_its_end(begin, repository, compose_of, wire):
    """The client reads the log every ten seconds.

    First there is no log yet, then it grows, and then it has nothing new.
    """
    with repository.held() as before, repository.held() as gate:
        compose_of("ed", source=before.address)
        before.wait_until_asked()
        id = compose_of("ed", source=gate.address)["id"]

        def read(status):
            return lambda exchange: exchange.path == f"/composes/odcs-{id}/pungi-stderr.log" and exchange.status == status

        watching = begin("wait", "--watch", id)
        # Reads both pipes all the time, as a terminal does.
        output = []
        reader = threading.Thread(target=lambda: output.append(watching.communicate()[0]))
        reader.start()
        assert wire.wait_for(read(404)).headers["Range"] == "bytes=0-"
        before.open()
        gate.wait_until_asked()
        part = wire.wait_for(read(206))
        assert part.headers["Range"] == "bytes=0-"
        nothing_new = wire.wait_for(read(416))
        assert nothing_new.headers["Range"] != "bytes=0-"
        gate.open()
        reader.join(120)

    assert watching.returncode == 0
    out = output[0]
    result = json.loads(out[out.index("\n{\n") :])
    assert result["state_name"] == "done"
    whole = requests.get(result["toplevel_url"] + "/pungi-stderr.log", timeout=60).text
    assert [line for line in whole.splitlines() if line not in out] == []


def test_renew_with_another_label_makes_a_new_compose(odcs, done):
    run = odcs("--no-wait", "renew", done["id"], "--label", "RC-1.0")

    assert run.status == 0
    assert run.result["id"] != done["id"]
    assert run.result["label"] == "RC-1.0"
    assert run.result["packages"] == "ed"


def test_renew_waits_for_the_compose_that_it_makes(odcs, done):
    run = odcs("--watch", "renew", done["id"], "--label", "Beta-1.1")

    assert run.status == 0
    assert run.result["state_name"] == "done"
    assert run.result["id"] != done["id"]


def test_renew_with_a_time_to_live_sends_it_as_a_string_and_makes_it_live_longer(odcs, library, compose_of, wire):
    compose = library.wait_for_compose(compose_of("ed", seconds_to_live=40)["id"], timeout=120)
    run = odcs("renew", compose["id"], "--seconds-to-live", "60")

    assert run.status == 0
    assert json.loads(wire.exchanges[-1].body) == {"seconds-to-live": "60"}
    assert run.result["id"] == compose["id"]
    assert run.result["time_to_expire"] > compose["time_to_expire"]


def test_renew_without_options_sends_no_body_and_makes_it_live_longer(odcs, library, compose_of, wire):
    compose = library.wait_for_compose(compose_of("ed", seconds_to_live=60)["id"], timeout=120)
    run = odcs("renew", compose["id"])

    assert run.status == 0
    assert wire.exchanges[-1].body == b""
    assert run.result["id"] == compose["id"]
    assert run.result["time_to_expire"] > compose["time_to_expire"]


def test_delete_cancels_a_compose_that_waits(odcs, repository, compose_of, library):
    with repository.held() as gate:
        compose_of("ed", source=gate.address)
        gate.wait_until_asked()
        waits = compose_of("ed")
        run = odcs("delete", waits["id"])

    assert run.status == 0
    assert run.result["status"] == 202
    canceled = library.get_compose(waits["id"])
    assert canceled["state_name"] == "failed"
    assert canceled["state_reason"].startswith("Canceled by ")


def test_delete_ends_the_life_of_one_that_is_done(odcs, library, done):
    run = odcs("delete", done["id"])

    assert run.status == 0
    assert run.result["status"] == 202
    assert library.get_compose(done["id"])["removed_by"]


@pytest.mark.parametrize("source_type", REFUSED)
def test_a_source_type_that_is_not_configured_is_refused_with_a_sentence(odcs, wire, source_type):
    run = odcs(*REFUSED[source_type])

    assert_is_refused(run, wire, source_type)


@pytest.mark.parametrize("source_type", REFUSED_OF_CREATE)
def test_the_deprecated_create_is_refused_like_the_new_commands(odcs, wire, source_type):
    run = odcs("--no-wait", *REFUSED_OF_CREATE[source_type])

    assert "Deprecated" in run.err
    assert_is_refused(run, wire, source_type)


def assert_is_refused(run, wire, source_type):
    assert run.status != 0
    assert wire.lines == ["POST /api/1/composes/ 400"]
    assert json.loads(wire.exchanges[0].body)["source"]["type"] == source_type
    answer = json.loads(run.out[run.out.index('{"') :])
    assert (answer["status"], answer["error"]) == (400, "Bad Request")
    assert source_type in answer["message"]
    assert answer["message"].endswith(".")


def test_a_caller_with_an_account_at_the_provider_sends_its_token_and_is_served(odcs, wire, done, home):
    run = odcs("get", done["id"], server=wire.url_by_number, OIDC_CLIENT_ID="me", OIDC_CLIENT_SECRET="secret")

    assert run.status == 0
    assert wire.exchanges[-1].headers["Authorization"] == "Bearer token-of-the-provider"
    for kept in (home / ".cache").glob("odcs_auth_token_*"):
        kept.unlink()


def test_a_caller_that_would_use_kerberos_is_served_without_it(odcs, wire, done):
    run = odcs("get", done["id"], server=wire.url_by_number)

    assert run.status == 0
    assert "Authorization" not in wire.exchanges[-1].headers
