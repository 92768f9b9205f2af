"""A server that asks for credentials, with the systems that know its users.

`scripts/interop-auth` makes the network and sets these variables:
INTEROP_DIRECTORY   a directory for the files of this run
INTEROP_PROGRAM     the program odcs-server
INTEROP_TESTS_REPO  the directory of tests-repo, which the server may read
"""

import os
from pathlib import Path

import pytest

import groups
import realm
from program import Program

URL = "http://odcs.example.test:5005/"


@pytest.fixture(scope="session")
def directory():
    return Path(os.environ["INTEROP_DIRECTORY"])


@pytest.fixture(scope="session")
def kerberos(directory):
    kerberos = realm.Realm(directory / "realm")
    yield kerberos
    kerberos.kdc.end()


@pytest.fixture(scope="session")
def ldap(directory):
    ldap = groups.Groups(directory / "groups")
    yield ldap
    ldap.slapd.end()


@pytest.fixture(scope="session")
def server(directory, kerberos, ldap):
    keytab = kerberos.keytab(realm.SERVICE)
    settings = directory / "odcs-server.yaml"
    settings.write_text(
        f"""
state_directory: "{directory}/state"
frontend:
  host: 127.0.0.1
  port: 5005
  public_url: {URL}
sources:
  allowed_roots: ["{os.environ['INTEROP_TESTS_REPO']}"]
auth:
  mechanisms: [kerberos]
  kerberos:
    keytab: "{keytab}"
    realms: [{realm.REALM}]
    strip_realm: {realm.REALM}
  directory:
    url: {ldap.url}
    bind_dn: "{groups.READER}"
    bind_password_file: "{ldap.password_file}"
    bases: ["{groups.BASE}"]
    filters: ["memberUid={{}}"]
    cache_seconds: 1
access:
  clients:
    releng:
      groups: [releng]
      source_types: [repo]
log:
  level: debug
"""
    )
    (directory / "state").mkdir(mode=0o755)
    program = Program(
        [os.environ["INTEROP_PROGRAM"], "run", "--config", str(settings)], directory / "server.log", "listening"
    )
    yield program
    program.end()


@pytest.fixture
def login(monkeypatch, kerberos, server, tmp_path):
    """Lets the clients of a test log in as a principal. Example: `login("joe")`."""
    known = {}

    def login(principal):
        keytab = known.setdefault(principal, kerberos.directory / (principal.replace("/", "-") + ".keytab"))
        if not keytab.exists():
            kerberos.keytab(principal)
        monkeypatch.setenv("KRB5_CONFIG", kerberos.variables["KRB5_CONFIG"])
        monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(keytab))
        monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/{keytab.name}.cache")

    return login
