"""Reads Debian's package index, and says what RPM each of its packages would be."""
import gzip
import os
import re
import subprocess

import rpmfile
from rpmfile import EQUAL, GREATER, LESS

OPERATORS = {
    "<<": LESS, "<=": LESS | EQUAL, "<": LESS | EQUAL, "=": EQUAL, ">=": GREATER | EQUAL, ">": GREATER | EQUAL, ">>": GREATER,
}
OPERATOR_TEXTS = {LESS: "<", LESS | EQUAL: "<=", EQUAL: "=", GREATER | EQUAL: ">=", GREATER: ">"}
TERM = re.compile(r"^([A-Za-z0-9][A-Za-z0-9+.\-]*)(?::([a-z0-9\-]+))?\s*(?:\(\s*(<<|<=|>=|>>|=|<|>)\s*([^\s)]+)\s*\))?")
FIELDS = {
    "Package", "Version", "Architecture", "Source", "Depends", "Pre-Depends", "Provides", "Conflicts", "Breaks", "Replaces",
    "Recommends", "Suggests", "Enhances", "Description", "Homepage", "Section", "Maintainer", "Installed-Size", "Priority", "Essential",
}


def split_version(version):
    """Debian's version as epoch, version and release, the last None where there is none.

    Inside an upstream version Debian allows '-', which RPM does not: it becomes '^', which sorts as Debian's does, after
    nothing and before '.'. So does '+' before a digit."""
    epoch, _, version = version.rpartition(":")
    release = None
    if "-" in version:
        version, release = version.rsplit("-", 1)
        release = re.sub(r"\+~|\+(?=\d)", "^", release)
    version = re.sub(r"[+-]~|[+-](?=\d)|-", "^", version).replace(":", "_")
    return "" if epoch == "0" else epoch, version, release


def bound(version, flags):
    """The version of a dependency.

    No revision is revision 0 in Debian and any release in RPM. The meaning is the same for >= and <; the others get a 0. What ends in
    a '.' is meant to be older than all that begin so: in RPM it ends in 'a'."""
    epoch, version, release = split_version(version)
    older_than_all = lambda text: re.sub(r"([.+])~?$", r"\1a", text)
    if release is None:
        version = older_than_all(version)
        if flags not in (GREATER | EQUAL, LESS):
            release = "0"
    elif flags & LESS and (release[0].isalpha() or release[0] in ".+^"):
        release = "9999"
    else:
        release = older_than_all(release)
    return (epoch + ":" if epoch else "") + version + ("-" + release if release is not None else "")


class DebianPackage:
    """An entry of the index."""

    def __init__(self, fields):
        self.fields = fields
        self.name = fields["Package"]
        self.epoch, self.version, release = split_version(fields["Version"])
        self.release = "0" if release is None else release
        self.arch = "noarch" if fields["Architecture"] == "all" else "x86_64"
        source = re.match(r"(\S+)(?:\s*\(([^)]+)\))?", fields.get("Source", self.name))
        self.source = source.group(1)
        self.source_epoch, self.source_version, release = split_version(source.group(2) or fields["Version"])
        self.source_release = "0" if release is None else release
        self.size = int(fields.get("Installed-Size") or 0)
        self.section = fields.get("Section", "misc").split("/")[-1]
        self.priority = fields.get("Priority", "optional")

    @property
    def evr(self):
        return (self.epoch + ":" if self.epoch else "") + self.version + "-" + self.release

    def alternatives(self, *kinds):
        """What it says it depends on: a list of lists of alternatives, each (name, flags, Debian version)."""
        return [alternatives for kind in kinds for alternatives in parse_relations(self.fields.get(kind, ""))]


_parsed_relations = {}


def parse_relations(field):
    """'a (>= 1) | b, c' as [[(a, >=, 1), (b, 0, '')], [(c, 0, '')]]; what is about other architectures is left out."""
    if field not in _parsed_relations:
        relations = []
        for group in field.split(","):
            matches = [TERM.match(term.strip()) for term in group.split("|")]
            alternatives = [
                (match.group(1), OPERATORS[match.group(3)] if match.group(3) else 0, match.group(4) or "")
                for match in matches
                if match and match.group(2) in (None, "any", "native", "amd64")
            ]
            if alternatives:
                relations.append(alternatives)
        _parsed_relations[field] = relations
    return _parsed_relations[field]


def dependencies(field, flags=0):
    """A field of relations as RPM's (name, flags, version); alternatives become a rich dependency."""
    result = []
    for alternatives in parse_relations(field):
        converted = [(name, flag, bound(version, flag) if flag else "") for name, flag, version in alternatives]
        if len(converted) == 1:
            name, flag, version = converted[0]
            result.append((name, flag | flags, version))
            continue
        texts = list(dict.fromkeys("%s %s %s" % (name, OPERATOR_TEXTS[flag], version) if flag else name for name, flag, version in converted))
        result.append((texts[0] if len(texts) == 1 and not converted[0][1] else "(" + " or ".join(texts) + ")", flags, ""))
    return result


def read_index(path):
    if path.endswith((".lz4", ".xz", ".zst")):
        return subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8", "replace")
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def parse_index(paths):
    """The packages of index files, the first of each name."""
    packages = {}
    for path in paths:
        for block in read_index(path).split("\n\n"):
            fields = {}
            for line in block.split("\n"):
                key, _, value = line.partition(":")
                if key in FIELDS:
                    fields[key] = value.strip()
            if "Package" in fields:
                packages.setdefault(fields["Package"], DebianPackage(fields))
    return list(packages.values())
