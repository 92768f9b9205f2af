"""A test of everything that the other tests have left. It runs last."""

import re
import subprocess
from pathlib import Path

import pytest
import requests

import people
from ways import URL

def texts(directory, server):
    """Yields names and texts that the service has shown or kept."""
    for log in directory.glob("*.log"):
        yield log.name, log.read_text(errors="replace")
    for file in (directory / "state").rglob("*"):
        if file.is_file() and "postgresql" not in file.parts:
            yield str(file), file.read_text(errors="replace")
    yield "the database", dump(directory)
    yield "odcs-server audit", server.command("audit")
    yield "odcs-server token list", server.command("token", "list", "--all")
    for page in ["", "api/1/", "api/1/about", "api/1/metrics", "api/1/composes/", "api/1/me"]:
        yield page, requests.get(URL + page, timeout=60).text
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        yield f"the process {process.parts[2]}", process.read_bytes().decode(errors="replace")


def dump(directory):
    """Returns all rows of the database."""
    data = (directory / "state" / "postgresql").resolve()
    sockets = re.search(r"unix_socket_directories = '(.*)'", (data / "data" / "postgresql.conf").read_text())[1]
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", programs / "pg_dumpall"]
    return subprocess.run([*command, "-h", sockets, "-U", "postgres"], check=True, capture_output=True, text=True).stdout


def test_no_secret_of_this_suite_was_shown_or_kept(directory, server, ways, proxy, kerberos):
    if len(people.secrets) < 8:
        pytest.skip("only a part of the tests ran")
    # What is looked at has to be there.
    known = dict(texts(directory, server))
    assert "method=POST" in known["odcs-server.log"] and " trace " in known["odcs-server.log"]
    assert "COPY odcs.tokens" in known["the database"]
    assert "new-compose" in known["odcs-server token list"]
    found = [
        (name, secret[:12])
        for name, text in known.items()
        for secret in people.secrets
        if secret in text
    ]
    assert found == []
