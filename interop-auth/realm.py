"""A KDC for the realm EXAMPLE.TEST, MIT's krb5kdc."""

import os
import subprocess
import threading

from program import Program

REALM = "EXAMPLE.TEST"
SERVICE = "HTTP/odcs.example.test"

CLIENT_SETTINGS = f"""
[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{REALM} = {{
    kdc = 127.0.0.1:88
}}
[domain_realm]
.example.test = {REALM}
"""


class Realm:
    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        settings = f"""
[kdcdefaults]
kdc_listen = 127.0.0.1:88
kdc_tcp_listen = 127.0.0.1:88
[realms]
{REALM} = {{
    database_name = {directory}/principals
    key_stash_file = {directory}/stash
    acl_file = {directory}/acl
    supported_enctypes = aes256-cts:normal
}}
[logging]
kdc = STDERR
"""
        (directory / "krb5.conf").write_text(CLIENT_SETTINGS)
        (directory / "kdc.conf").write_text(settings)
        self.variables = {
            "KRB5_CONFIG": f"{directory}/krb5.conf",
            "KRB5_KDC_PROFILE": f"{directory}/kdc.conf",
        }
        self._keytabs = threading.Lock()
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.kdc = Program(
            ["krb5kdc", "-n", "-r", REALM, "-P", f"{directory}/kdc.pid"],
            directory / "kdc.log",
            "commencing operation",
            self.variables,
        )

    def keytab_of(self, principal):
        """Returns a keytab with the key of a principal, which is added to the realm if it is new."""
        file = self.directory / (principal.replace("/", "-") + ".keytab")
        with self._keytabs:
            if not file.exists():
                self._run("kadmin.local", "-r", REALM, "addprinc", "-randkey", principal)
                self._run("kadmin.local", "-r", REALM, "ktadd", "-norandkey", "-k", str(file), principal)
        return file

    def change_key(self, principal, keytab):
        """Gives a principal a new key, and adds it to a keytab."""
        self._run("kadmin.local", "-r", REALM, "ktadd", "-k", str(keytab), principal)

    def _run(self, *command):
        subprocess.run(
            command, env={**os.environ, **self.variables}, check=True, stdout=subprocess.DEVNULL
        )
