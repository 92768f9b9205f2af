"""The sessions of atomic-reactor, as its `get_odcs_session` and `ODCSClient` make them.

They are written after atomic_reactor/config.py, utils/odcs.py and utils/retries.py of commit f6b1ea4.
atomic-reactor itself needs a build system around it.
"""

import os

import requests
import requests_gssapi
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


class SessionWithTimeout(requests.Session):
    def request(self, *arguments, **options):
        options.setdefault("timeout", 600)
        return super().request(*arguments, **options)


def session(openidc_dir=None, ssl_certs_dir=None, krb_keytab_path=None):
    """Returns a session for the member `auth` of atomic-reactor's configuration."""
    statuses = (408, 429, 500, 502, 503, 504)
    retry = Retry(total=10, backoff_factor=5, status_forcelist=statuses, allowed_methods=False, raise_on_status=True)
    session = SessionWithTimeout()
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))
    if openidc_dir:
        with open(os.path.join(openidc_dir, "token")) as file:
            session.headers["Authorization"] = f"Bearer {file.read().strip()}"
    if ssl_certs_dir:
        session.cert = os.path.join(ssl_certs_dir, "cert")
    if krb_keytab_path:
        os.environ["KRB5_CLIENT_KTNAME"] = krb_keytab_path
        session.auth = requests_gssapi.HTTPSPNEGOAuth()
    return session


class Client:
    """The requests of atomic-reactor for a compose."""

    def __init__(self, url, session):
        self.url = url.rstrip("/")
        self.session = session

    def start_compose(self, source_type, source, packages, flags=None):
        body = {"source": {"type": source_type, "source": source, "packages": packages}}
        if flags is not None:
            body["flags"] = flags
        return self._answer(self.session.post(f"{self.url}/composes/", json=body))

    def renew_compose(self, compose_id):
        return self._answer(self.session.patch(f"{self.url}/composes/{compose_id}", json={}))

    def get_compose(self, compose_id):
        return self._answer(self.session.get(f"{self.url}/composes/{compose_id}"))

    def _answer(self, response):
        response.raise_for_status()
        return response.json()
