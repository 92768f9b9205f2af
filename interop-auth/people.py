"""The people of the tests, with their groups, and the secrets that no log may show."""

# Each person has a part in the table of test_rights.py.
GROUPS_OF = {
    "joe": ["releng"],  # the owner
    "bob": ["releng"],  # another client of the same rule
    "rita": ["narrow"],  # a client whose rule does not allow the request
    "jane": [],  # known, without a rule
    "alice": ["odcs-admins"],
    "osbs/build1.example.test": ["releng"],  # a host
}

# The people who have a certificate, by the text that the service knows them by.
SUBJECTS = {
    name: f"UID={name},OU=users,DC=example,DC=test" for name in ["joe", "bob", "rita", "jane", "alice", "osbs"]
}

# Texts that must not be in any log, page, audit row or list of processes.
secrets = set()


def secret(text):
    """Remembers a secret, and returns it."""
    assert len(text) >= 16
    secrets.add(text)
    return text


def groups():
    """Returns the members of each group."""
    names = sorted({group for groups in GROUPS_OF.values() for group in groups})
    return {name: [person for person, groups in GROUPS_OF.items() if name in groups] for name in names}


def openssl_subject(name):
    """Returns the subject of a person's certificate as openssl writes it."""
    return "/" + "/".join(reversed(SUBJECTS[name].split(",")))


RULES = f"""
access:
  admins:
    users: ["{SUBJECTS['alice']}"]
    groups: [odcs-admins]
  clients:
    releng:
      groups: [releng]
      source_types: [repo, tag]
    certificates:
      users: ["{SUBJECTS['joe']}", "{SUBJECTS['bob']}", "{SUBJECTS['osbs']}"]
      source_types: [repo, tag]
    narrow:
      groups: [narrow]
      source_types: [build]
    narrow-certificate:
      users: ["{SUBJECTS['rita']}"]
      source_types: [build]
    programs:
      users: [service-nightly, fedora/nightly]
      source_types: [repo, tag]
    jobs:
      workloads: [lockfiles]
      source_types: [repo, tag]
"""
