"""The ways by which people log in, for requests of the Python library requests."""

import gssapi
import requests
import requests_gssapi

import people

URL = "https://odcs.example.test/"
CERTIFICATES_AT_NGINX = "https://proxy.example.test/"
LOGIN_AT_NGINX = "https://login.example.test/"


class Way:
    """A way to log in. `url` is the server, and `options` has the arguments of requests for a person."""

    url = URL

    def call(self, person, method, path, **options):
        """Sends a request as a person. Without a person, it has no credentials."""
        options = {**self.options(person), **options} if person else options
        return requests.request(method, self.url + path, timeout=60, **options)

    def account(self, person):
        return person


class Kerberos(Way):
    # The arguments for credentials that are wrong.
    wrong = {"headers": {"Authorization": "Negotiate YIIBkwYGKwYBBQUCoIIBhzCCAYOg"}}

    def __init__(self, realm):
        self._realm = realm

    def options(self, person):
        return {"auth": requests_gssapi.HTTPSPNEGOAuth(creds=self.credentials(person), opportunistic_auth=True)}

    def credentials(self, person):
        name = gssapi.Name(f"{person}@EXAMPLE.TEST", gssapi.NameType.kerberos_principal)
        keytab = self._realm.keytab_of(person)
        return gssapi.Credentials(
            name=name, usage="initiate", store={"client_keytab": str(keytab), "ccache": f"FILE:{keytab}.cache"}
        )


class Tokens(Way):
    """API tokens that the operator has made."""

    wrong = {"headers": {"Authorization": "Bearer odcs_abcdefghjk_" + "x" * 49}}

    def __init__(self, server):
        self._server = server
        self._tokens = {}

    def token(self, person):
        if person not in self._tokens:
            groups = [word for group in people.GROUPS_OF[person] for word in ("--group", group)]
            scopes = ["new-compose", "renew-compose", "delete-compose"] + (["admin"] if person == "alice" else [])
            words = [word for scope in scopes for word in ("--scope", scope)]
            text = self._server.command("token", "create", "--owner", person, "--note", "test", *groups, *words)
            self._tokens[person] = people.secret(text.strip())
        return self._tokens[person]

    def options(self, person):
        return {"headers": {"X-API-Key": self.token(person)}}


class OpenID(Way):
    """Signed tokens of the issuer /realms/main."""

    def __init__(self, provider):
        self._provider = provider
        header, payload, signature = provider.token("joe").split(".")
        self.wrong = {"headers": {"Authorization": f"Bearer {header}.{payload}.{signature[::-1]}"}}

    def options(self, person):
        return {"headers": {"Authorization": f"Bearer {self._provider.token(person)}"}}


class OpaqueTokens(Way):
    """Random texts of the issuer /realms/fedora, which only the issuer can check."""

    wrong = {"headers": {"Authorization": "Bearer a-token-that-the-provider-never-issued"}}

    def __init__(self, provider):
        self._provider = provider

    def options(self, person):
        return {"headers": {"Authorization": f"Bearer {self._provider.opaque_token(person)}"}}

    def account(self, person):
        return f"fedora/{person}"


class Certificates(Way):
    def __init__(self, files):
        self._files = files

    def options(self, person):
        return {"cert": tuple(map(str, self._files[person]))}

    def account(self, person):
        return people.SUBJECTS[person]


class CertificatesAtNginx(Certificates):
    url = CERTIFICATES_AT_NGINX


class LoginAtNginx(Way):
    url = LOGIN_AT_NGINX
    wrong = {"auth": ("joe", "not the password")}

    def __init__(self, password):
        self._password = password

    def options(self, person):
        return {"auth": (person, self._password)}
