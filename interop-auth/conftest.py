"""Servers that ask for credentials, with the systems that know their users.

`scripts/interop-auth` makes the network and sets these variables:
INTEROP_DIRECTORY   a directory for the files of this run
INTEROP_PROGRAM     the program odcs-server
INTEROP_COMMAND     the program odcs, the command line of this project
INTEROP_TESTS_REPO  the directory of tests-repo, which the server may read
"""

import os
import sys
from pathlib import Path

import pytest

import nginx
import openid
import people
from certificates import Authority, serial
from groups import PASSWORD, Groups
from realm import Realm
from server import BehindNginx, Server
from ways import CertificatesAtNginx, Certificates, Kerberos, LoginAtNginx, OpaqueTokens, OpenID, Tokens


# The Koji of the other suite.
INTEROP = Path(__file__).parent.parent / "interop"
sys.path.append(str(INTEROP))
from koji import Koji  # noqa: E402


def pytest_collection_modifyitems(items):
    # The test of secrets looks at all that the other tests have left.
    items.sort(key=lambda item: item.fspath.basename == "test_secrets.py")


@pytest.fixture(scope="session")
def directory():
    return Path(os.environ["INTEROP_DIRECTORY"])


@pytest.fixture(scope="session")
def services(directory):
    """The authority that has signed the certificates of all servers. All clients trust it."""
    authority = Authority(directory, "services")
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(authority.file)
    return authority


@pytest.fixture(scope="session")
def clients(directory):
    """The authority that signs the certificates of clients."""
    return Authority(directory, "clients")


@pytest.fixture(scope="session")
def kerberos(directory):
    kerberos = Realm(directory / "realm")
    os.environ["KRB5_CONFIG"] = kerberos.variables["KRB5_CONFIG"]
    yield kerberos
    kerberos.kdc.end()


@pytest.fixture(scope="session")
def ldap(directory, services):
    ldap = Groups(directory / "groups", services)
    yield ldap
    ldap.slapd.end()


@pytest.fixture(scope="session")
def provider(directory, services):
    provider = openid.Provider(directory / "openid", services)
    yield provider
    provider.program.end()


@pytest.fixture(scope="session")
def revoked(clients):
    """A certificate that is in the file of revoked certificates."""
    return clients.issue("mallory", "/DC=test/DC=example/OU=users/UID=mallory")


@pytest.fixture(scope="session")
def settings(directory, services, clients, kerberos, ldap, provider, revoked):
    """The directory with the configuration of the service, `/etc/odcs` in the examples."""
    settings = directory / "settings"
    settings.mkdir()
    certificate, key = services.issue("odcs", "/CN=odcs", ["odcs.example.test"])
    (settings / "tls.pem").symlink_to(certificate)
    (settings / "tls-key.pem").symlink_to(key)
    (settings / "clients-ca.pem").symlink_to(clients.file)
    (settings / "ldap-ca.pem").symlink_to(services.file)
    (settings / "http.keytab").write_bytes(kerberos.keytab_of("HTTP/odcs.example.test").read_bytes())
    (settings / "revoked").write_text(f"# by their serial numbers\n{serial(revoked[0])}\n")
    for name, text in [
        ("ldap-password", PASSWORD),
        ("openid-secret", openid.SECRET),
        ("proxy-secret", nginx.SECRET),
    ]:
        (settings / name).write_text(text + "\n")
        (settings / name).chmod(0o600)
    return settings


@pytest.fixture(scope="session")
def koji():
    recorded = INTEROP.parent / "Tests" / "ScriptedHub"
    koji = Koji(recorded / "Recordings", recorded / "topdir", 8000)
    yield koji
    koji.close()


@pytest.fixture(scope="session")
def server(settings, koji):
    """The server that clients reach themselves, with all mechanisms but `proxy`."""
    server = Server(settings, "odcs-server")
    yield server
    server.program.end()


@pytest.fixture(scope="session")
def proxy(server, settings, services):
    """nginx, with a server behind it that knows the same composes."""
    behind = BehindNginx(settings, "behind-nginx")
    proxy = nginx.Nginx(settings, services)
    yield proxy
    proxy.end()
    behind.program.end()


@pytest.fixture(scope="session")
def ways(server, kerberos, provider, clients, proxy):
    """All ways to log in, by their names."""
    files = {name: clients.issue(name, people.openssl_subject(name)) for name in people.SUBJECTS}
    return {
        "kerberos": Kerberos(kerberos),
        "tokens": Tokens(server),
        "openid": OpenID(provider),
        "opaque": OpaqueTokens(provider),
        "certificates": Certificates(files),
        "nginx-certificates": CertificatesAtNginx(files),
        "nginx-login": LoginAtNginx(proxy.password),
    }


@pytest.fixture
def login(monkeypatch, kerberos, server, tmp_path):
    """Lets the clients of a test log in as a principal. Example: `login("joe")`."""

    def login(principal):
        keytab = kerberos.keytab_of(principal)
        monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(keytab))
        monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/{keytab.name}.cache")

    return login
