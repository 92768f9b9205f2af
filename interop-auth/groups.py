"""A directory with the groups of people, OpenLDAP's slapd."""

import subprocess

import people
from program import Program

BASE = "ou=groups,dc=example,dc=test"
READER = "cn=reader,dc=example,dc=test"
PASSWORD = people.secret("only-for-the-directory-7c1f")

SETTINGS = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
pidfile {directory}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "dc=example,dc=test"
directory {directory}/data
rootdn "{reader}"
rootpw {password}
access to * by anonymous auth by * none
"""

ENTRIES = f"""
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {BASE}
objectClass: organizationalUnit
ou: groups

"""


def entry(number, group, members):
    lines = [f"dn: cn={group},{BASE}", "objectClass: posixGroup", f"cn: {group}", f"gidNumber: {number}"]
    return "\n".join(lines + [f"memberUid: {member}" for member in members]) + "\n\n"


class Groups:
    def __init__(self, directory, authority):
        (directory / "data").mkdir(parents=True)
        certificate, key = authority.issue("ldap", "/CN=ldap", ["ldap.example.test"])
        settings = directory / "slapd.conf"
        login = {"reader": READER, "password": PASSWORD}
        files = {"directory": directory, "authority": authority.file, "certificate": certificate, "key": key}
        settings.write_text(SETTINGS.format(**login, **files))
        groups = people.groups().items()
        (directory / "entries.ldif").write_text(
            ENTRIES + "".join(entry(number, group, members) for number, (group, members) in enumerate(groups, 1))
        )
        subprocess.run(["slapadd", "-f", settings, "-l", directory / "entries.ldif"], check=True)
        self.slapd = Program(
            ["slapd", "-h", "ldaps://ldap.example.test", "-f", str(settings), "-d", "256"],
            directory / "slapd.log",
            "slapd starting",
        )
