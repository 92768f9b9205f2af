"""Tests of API tokens beyond the table of rights, with this project's command line and curl."""

import json
import os
import re
import subprocess

import pytest
import requests

import openid
import people
from server import TESTS_REPO
from ways import URL


@pytest.fixture
def odcs(tmp_path, server):
    """Runs the command line. Example: `odcs("whoami")`."""

    def odcs(*arguments, input=""):
        return subprocess.run(
            [os.environ["INTEROP_COMMAND"], *arguments],
            env={**os.environ, "HOME": str(tmp_path), "ODCS_SERVER": URL},
            input=input,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return odcs


def test_a_person_logs_in_once_and_rotates_the_token(odcs, server, tmp_path):
    words = ["--owner", "osbs", "--group", "releng", "--note", "CI", "--scope", "new-compose", "--days", "90"]
    token = people.secret(server.command("token", "create", *words).strip())
    assert "knows you as osbs" in odcs("login", input=token).stdout

    kept = tmp_path / ".config" / "odcs" / "tokens.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    compose = json.loads(odcs("submit", "repo", TESTS_REPO, "ed", "--no-reuse", "--json").stdout)
    assert compose["owner"] == "osbs"

    odcs("token", "rotate", "--overlap-hours", "0")
    [new] = json.loads(kept.read_text()).values()
    assert people.secret(new) != token
    assert "osbs" in odcs("whoami").stdout
    answer = requests.get(f"{URL}api/1/me", headers={"X-API-Key": token}, timeout=60)
    assert answer.status_code == 401


def test_a_person_logs_in_at_the_openid_provider(provider, server, tmp_path):
    command = [os.environ["INTEROP_COMMAND"], "login", "--openid", openid.MAIN, "--client-id", "odcs-command"]
    environment = {**os.environ, "HOME": str(tmp_path), "ODCS_SERVER": URL}
    login = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = re.search(r"Open (\S+) in a browser", login.stderr.readline())[1]
    assert requests.get(address, timeout=60).status_code == 200

    out, err = login.communicate(timeout=60)
    assert "knows you as joe" in out, out + err
    [token] = json.loads((tmp_path / ".config" / "odcs" / "tokens.json").read_text()).values()
    compose = {"source": {"type": "repo", "source": TESTS_REPO, "packages": ["ed"]}}
    header = {"Authorization": f"Bearer {people.secret(token)}"}
    answer = requests.post(f"{URL}api/1/composes/", json=compose, headers=header, timeout=60)
    assert answer.json()["owner"] == "joe"


def test_a_revoked_token_is_refused_by_the_next_request(server):
    words = ["--owner", "osbs", "--note", "lost", "--scope", "new-compose"]
    token = people.secret(server.command("token", "create", *words).strip())
    header = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{URL}api/1/me", headers=header, timeout=60).status_code == 200

    server.command("token", "revoke", token.split("_")[1])
    assert requests.get(f"{URL}api/1/me", headers=header, timeout=60).status_code == 401


def test_curl_reads_the_token_from_a_file(ways, services, tmp_path):
    header = tmp_path / "header"
    header.write_text(f"X-API-Key: {ways['tokens'].token('joe')}\n")
    command = ["curl", "--silent", "--cacert", services.file, "-H", f"@{header}", f"{URL}api/1/me"]

    assert '"joe"' in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_token_is_the_password_of_any_user_name(ways):
    """dnf sends nothing else."""
    answer = requests.get(f"{URL}api/1/me", auth=("anything", ways["tokens"].token("joe")), timeout=60)

    assert answer.json()["account"] == "joe"
