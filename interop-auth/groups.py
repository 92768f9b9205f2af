"""A directory with the groups of people, OpenLDAP's slapd."""

import subprocess

from program import Program

BASE = "ou=groups,dc=example,dc=test"
READER = "cn=reader,dc=example,dc=test"
PASSWORD = "only-for-the-directory-7c1f"

SETTINGS = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
pidfile {directory}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
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

dn: cn=releng,{BASE}
objectClass: posixGroup
cn: releng
gidNumber: 1
memberUid: joe

"""


class Groups:
    url = "ldap://127.0.0.1:389"

    def __init__(self, directory):
        (directory / "data").mkdir(parents=True)
        settings = directory / "slapd.conf"
        settings.write_text(SETTINGS.format(directory=directory, reader=READER, password=PASSWORD))
        (directory / "entries.ldif").write_text(ENTRIES)
        subprocess.run(["slapadd", "-f", settings, "-l", directory / "entries.ldif"], check=True)
        self.password_file = directory / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self.slapd = Program(
            ["slapd", "-h", self.url, "-f", str(settings), "-d", "256"], directory / "slapd.log", "slapd starting"
        )
