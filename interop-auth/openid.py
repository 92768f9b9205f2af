"""The OpenID provider of the tests, as its users see it."""

import json
import sys
from pathlib import Path

import requests

import people
from certificates import openssl
from program import Program

HERE = Path(__file__).parent
MAIN = "https://id.example.test/realms/main"
FEDORA = "https://id.example.test/realms/fedora"
CI = "https://ci.example.test"

# The secret of the service, and that of a program.
SECRET = people.secret("of-the-service-at-the-provider-91ad")
NIGHTLY = people.secret("of-the-nightly-job-at-the-provider-c3b0")

SCOPES = ["new-compose", "renew-compose", "delete-compose"]
CLIENTS = {
    "odcs": {"secret": SECRET, "claims": {}},
    "nightly": {
        "secret": NIGHTLY,
        "claims": {
            "sub": "nightly",
            "aud": ["odcs", "account"],
            "preferred_username": "service-nightly",
            "scope": "openid odcs:new-compose https://pagure.io/odcs/new-compose",
        },
    },
    "odcs-command": {
        "secret": "",
        "claims": {
            "sub": "joe",
            "aud": "odcs",
            "preferred_username": "joe",
            "groups": ["releng"],
            "scope": "openid odcs:new-compose odcs:renew-compose odcs:delete-compose",
        },
    },
}


class Provider:
    def __init__(self, directory, authority):
        directory.mkdir()
        certificate, key = authority.issue("openid", "/CN=openid", ["id.example.test", "ci.example.test"])
        (directory / "tls.pem").symlink_to(certificate)
        (directory / "tls-key.pem").symlink_to(key)
        (directory / "clients.json").write_text(json.dumps(CLIENTS))
        openssl("genrsa", "-out", directory / "signing-key.pem", "2048")
        self._tokens = {}
        self.program = Program(
            [sys.executable, str(HERE / "openid_provider.py"), str(directory), "127.0.0.3"],
            directory / "log",
            "the provider is ready",
        )

    def any_tokens(self, issuer, claims, count=1):
        answer = requests.post(f"{issuer}/any-tokens", json={"claims": claims, "count": count}, timeout=60)
        return [people.secret(token) for token in answer.json()["tokens"]]

    def token(self, person, **claims):
        """Returns a signed token of a person. Without more claims, it is the same each time."""
        key = (MAIN, person, str(claims))
        if key not in self._tokens:
            scopes = SCOPES + (["admin"] if person == "alice" else [])
            known = {
                "sub": person,
                "aud": "odcs",
                "preferred_username": person,
                "groups": people.GROUPS_OF[person],
                "scope": " ".join(["openid", *(f"odcs:{scope}" for scope in scopes)]),
            }
            [self._tokens[key]] = self.any_tokens(MAIN, {**known, **claims})
        return self._tokens[key]

    def opaque_token(self, person):
        """Returns a random text, the same each time."""
        key = (FEDORA, person)
        if key not in self._tokens:
            [self._tokens[key]] = self.new_opaque_tokens(person, 1)
        return self._tokens[key]

    def new_opaque_tokens(self, person, count):
        """Returns random texts that the service has not seen."""
        scopes = SCOPES + (["admin"] if person == "alice" else [])
        scope = " ".join(["openid", *(f"https://pagure.io/odcs/{scope}" for scope in scopes)])
        claims = {"sub": person, "client_id": "odcs-command", "groups": people.GROUPS_OF[person], "scope": scope}
        return self.any_tokens(FEDORA, claims, count)

    def job_token(self, **claims):
        """Returns the token of a job of the CI service."""
        known = {
            "sub": "repo:team/lockfiles",
            "aud": "https://odcs.example.test",
            "repository_id": "123456",
            "ref": "refs/heads/main",
        }
        [token] = self.any_tokens(CI, {**known, **claims})
        return token
