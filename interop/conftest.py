"""Fixtures for the server under test, and for the published client as users have it.

The command and the library of the client are both unmodified.

`scripts/interop` starts the server and sets these variables:
INTEROP_SERVER      the server's address. The server may read tests-repo by its path, and all URLs of
                    127.0.0.1 at INTEROP_PORT.
INTEROP_TESTS_REPO  the directory of tests-repo
INTEROP_PORT        a port of 127.0.0.1 for a repository of the tests' own
INTEROP_KOJI_PORT   the port of 127.0.0.1 at which the server expects Koji's hub (/kojihub) and its
                    packages (/topdir)
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from odcs.client.odcs import ODCS, AuthMech, ComposeSourceGeneric

from koji import Koji
from repository import Repository
from wire import Wire

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


@pytest.fixture(scope="session")
def server():
    return os.environ["INTEROP_SERVER"].rstrip("/") + "/"


@pytest.fixture(scope="session")
def tests_repo():
    return os.environ["INTEROP_TESTS_REPO"]


@pytest.fixture(scope="session")
def repository(tests_repo):
    repository = Repository(tests_repo, int(os.environ["INTEROP_PORT"]))
    yield repository
    repository.close()


@pytest.fixture(scope="session")
def koji():
    recorded = Path(__file__).parent.parent / "Tests" / "ScriptedHub"
    koji = Koji(recorded / "Recordings", recorded / "topdir", int(os.environ["INTEROP_KOJI_PORT"]))
    yield koji
    koji.close()


@pytest.fixture
def wire(server):
    """The proxy between a client and the server, in every test that uses a client.

    Checks at the end of the test that the server has sent no redirects, because the client follows the
    redirects of only some requests.
    """
    wire = Wire(server)
    yield wire
    wire.close()
    assert [line for line in wire.lines if line.split()[-1].startswith("3")] == []


@pytest.fixture
def library(wire):
    """The published library, which sends its requests over the wire."""
    return ODCS(wire.url, auth_mech=AuthMech.Anonymous)


@pytest.fixture
def api(wire):
    """Sends bare HTTP requests, as callers without the client do. Example: `api("GET", "composes/1")`."""

    def call(method, path, body=None, **options):
        return requests.request(
            method, f"{wire.url}api/1/{path}", json=body, allow_redirects=False, timeout=60, **options
        )

    return call


@pytest.fixture
def compose_of(library, tests_repo):
    """Requests a compose of tests-repo, or of another source of the type repo."""

    def ask(*packages, source=tests_repo, **options):
        asked = ComposeSourceGeneric(source, "repo", packages=list(packages))
        # A compose that reuses the result of another test would be done at once, and could expire with it.
        options.setdefault("flags", ["no_reuse"])
        return library.request_compose(asked, **options)

    return ask


@pytest.fixture
def done(library, compose_of):
    """A compose of `ed` that is done."""
    compose = library.wait_for_compose(compose_of("ed")["id"], timeout=120)
    assert compose["state_name"] == "done", compose["state_reason"]
    return compose


@pytest.fixture(scope="session")
def home(tmp_path_factory, repository):
    """A home directory with the settings file that the published command needs.

    Its only environment names a port without a server, because `begin` passes `--server`.
    """
    home = tmp_path_factory.mktemp("home")
    settings = home / ".config" / "odcs.toml"
    settings.parent.mkdir()
    (home / ".cache").mkdir()
    settings.write_text(
        f"""
        [redhat.prod]
        url = "http://localhost:1/"
        id_provider = "{repository.root}/provider/"
        oidc_authz_code_client_id = "on-demand-compose-service"
        """
    )
    return home


class Run:
    """A run of the published command. `result` is the JSON at the end of its output."""

    def __init__(self, process):
        self.process = process
        self.out, self.err = process.communicate(timeout=180)
        self.status = process.returncode

    @property
    def result(self):
        assert "{" in self.out, self.out + self.err
        text = self.out[self.out.index("{\n") :]
        result = json.loads(text)
        assert text == json.dumps(result, indent=4, sort_keys=True) + "\n"
        return result


@pytest.fixture
def begin(wire, home):
    """Starts the published command. Example: `begin("get", 1)`."""

    def begin(*arguments, server=None, **variables):
        command = [Path(sys.executable).parent / "odcs", "--server", server or wire.url, *map(str, arguments)]
        return subprocess.Popen(
            command,
            env={**os.environ, "HOME": str(home), "NO_OIDC_AUTHZ_CODE": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


@pytest.fixture
def odcs(begin):
    """Runs the published command and waits for its end."""
    return lambda *arguments, **options: Run(begin(*arguments, **options))
