"""Tests of composes of Koji's tags and builds that the published client requests, by its command and
by its library.
"""

import pytest
import requests
from odcs.client.odcs import ComposeSourceBuild, ComposeSourceModule, ComposeSourceTag

from repodata import package_names

pytestmark = pytest.mark.usefixtures("koji")


def packages(compose, tree="x86_64/os"):
    return package_names(f"{compose['result_repo']}/{tree}")


def done(run):
    assert run.status == 0, run.out + run.err
    assert run.result["state_name"] == "done", run.result["state_reason"]
    return run.result


def test_create_tag_gives_the_signed_packages_of_the_tag_with_what_they_need(odcs, koji):
    compose = done(odcs("create-tag", "f26-updates", "ed", "foo", "--sigkey", "0B3E5524", "--sigkey", "none", "--arch", "x86_64"))

    assert {"ed", "foo", "libfoo"} <= packages(compose)
    assert (compose["source_type"], compose["source"], compose["koji_event"]) == (1, "f26-updates", koji.EVENT)
    assert compose["sigkeys"].lower() == "0b3e5524 "
    assert compose["arches"] == "x86_64"


def test_create_tag_for_two_architectures_as_of_an_event(odcs):
    run = odcs("create-tag", "f26-updates", "ed", "--arch", "x86_64", "--arch", "aarch64", "--koji-event", "100", "--flag", "no_deps")
    compose = done(run)

    assert packages(compose) == packages(compose, "aarch64/os") == {"ed"}


def test_a_key_that_has_signed_nothing_fails_with_the_packages_own_keys(odcs):
    run = odcs("create-tag", "f26-updates", "ed", "--sigkey", "DB42A60E", "--flag", "no_deps")

    assert run.status == 1
    assert run.result["state_name"] == "failed"
    assert "0b3e5524" in run.result["state_reason"]


def test_without_its_parents_a_tag_has_only_its_own_packages(odcs):
    inherited = done(odcs("create-tag", "f26-updates", "filereq", "--flag", "no_deps"))
    own = odcs("create-tag", "f26-updates", "filereq", "--flag", "no_deps", "--flag", "no_inheritance")

    assert packages(inherited) == {"filereq"}
    assert own.status == 1
    assert own.result["flags"] == ["no_deps", "no_inheritance"]
    assert "filereq is not there for x86_64" in own.result["state_reason"]


def test_a_build_on_top_of_a_tag(odcs):
    compose = done(odcs("create-tag", "f26-updates", "ed", "--build", "ed-1.14.2-2.fc26", "--flag", "no_deps"))

    assert compose["builds"] == "ed-1.14.2-2.fc26"
    assert packages(compose) == {"ed"}


def test_create_module_gives_the_packages_of_the_newest_ready_build(odcs):
    compose = done(odcs("create-module", "testmodule:next-gen"))

    assert packages(compose) == {"modpkg"}
    assert (compose["source_type"], compose["source"]) == (2, "testmodule:next-gen:20180501000000:c2c572ec")


def test_create_module_takes_complete_names_and_bounds(odcs):
    compose = done(
        odcs("create-module", "testmodule:master:20180405123256:c2c572ec", "--base-module-br-name", "platform", "--flag", "no_deps")
    )

    assert compose["source"] == "testmodule:master:20180405123256:c2c572ec"
    assert compose["base_module_br_name"] == "platform"


def test_everything_that_create_module_can_say_arrives(odcs):
    run = odcs(
        "create-module", "testmodule:master", "--base-module-br-name", "platform", "--base-module-br-stream", "f26.0.0",
        "--base-module-br-stream-version-lte", "269999", "--base-module-br-stream-version-gte", "260000", "--scratch-module", "a:b:1:c",
    )  # fmt: skip

    assert run.status == 1
    assert "a:b:1:c" in run.result["state_reason"]
    assert (run.result["scratch_modules"], run.result["base_module_br_stream"]) == ("a:b:1:c", "f26.0.0")
    assert (run.result["base_module_br_stream_version_lte"], run.result["base_module_br_stream_version_gte"]) == (269999, 260000)


def test_the_deprecated_create_makes_composes_of_modules(odcs):
    assert packages(done(odcs("create", "module", "testmodule:next-gen"))) == {"modpkg"}


def test_the_library_asks_for_modules(library):
    asked = library.request_compose(ComposeSourceModule(["testmodule:next-gen"], modular_koji_tags=[]))
    compose = library.wait_for_compose(asked["id"], timeout=120)

    assert (compose["state_name"], compose["source"]) == ("done", "testmodule:next-gen:20180501000000:c2c572ec")


def test_a_module_that_is_not_there_is_named(odcs):
    run = odcs("create-module", "testmodule:mastre")

    assert run.status == 1
    assert run.result["state_reason"].startswith("There is no module testmodule:mastre")


def test_packages_of_a_module_are_refused_with_a_sentence(api):
    answer = api("POST", "composes/", {"source": {"type": "module", "source": "testmodule:master", "packages": ["modpkg"]}})

    assert answer.status_code == 400
    assert "packages" in answer.json()["message"]


def test_create_build_gives_exactly_the_packages_of_the_builds(odcs):
    compose = done(odcs("create-build", "ed-1.14.2-2.fc26", "bar-data-4-1.fc26", "--sigkey", "none", "--target-dir", "default"))

    assert packages(compose) == {"ed", "bar-data"}
    assert packages(compose, "source/tree") == {"ed", "bar-data"}
    assert (compose["source_type"], compose["builds"]) == (6, "ed-1.14.2-2.fc26 bar-data-4-1.fc26")


def test_a_build_that_is_not_there_is_named(odcs):
    run = odcs("create-build", "nope-1-1", "ed-1.14.2-2.fc26")

    assert run.status == 1
    assert run.result["state_reason"] == "A build cannot be used: in Koji, nope-1-1 is not there."


def test_the_deprecated_create_makes_the_same(odcs):
    run = odcs("create", "tag", "f26-updates", "ed")

    assert "Deprecated" in run.err
    assert "ed" in packages(done(run))


def test_renew_keeps_the_event(odcs, koji):
    compose = done(odcs("create-tag", "f26-updates", "ed", "--flag", "no_deps"))
    again = done(odcs("renew", compose["id"], "--label", "RC-1.0"))

    assert again["id"] != compose["id"]
    assert again["koji_event"] == compose["koji_event"] == koji.EVENT
    assert packages(again) == {"ed"}


def test_new_compose_of_a_tag_is_made(library):
    """Uses the deprecated method for a request."""
    asked = library.new_compose(
        "f26-updates", "tag", seconds_to_live=600, packages=["ed"], flags=["no_deps"], sigkeys=["0b3e5524"], arches=["x86_64"]
    )
    compose = library.wait_for_compose(asked["id"], timeout=120)

    assert compose["state_name"] == "done", compose["state_reason"]
    assert packages(compose) == {"ed"}


@pytest.mark.parametrize(
    "source",
    [
        ComposeSourceTag("f26-updates", packages=["ed"], sigkeys=["0b3e5524", ""], koji_event=100, builds=["ed-1.14.2-2.fc26"]),
        ComposeSourceBuild(["ed-1.14.2-2.fc26"], sigkeys=[""]),
    ],
)
def test_request_compose_takes_the_sources_of_the_library(library, source):
    compose = library.wait_for_compose(library.request_compose(source)["id"], timeout=120)

    assert compose["state_name"] == "done", compose["state_reason"]
    assert requests.get(compose["result_repofile"], timeout=60).ok
    assert "ed" in packages(compose)
