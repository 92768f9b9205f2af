"""Writes the package files that a list in JSON describes: write_packages.py LIST TOOLS, TOOLS being the folder of rpmfile.py.

Each member of the list has path, name, version, release and arch, and as it likes epoch, requires, provides, conflicts, source_rpm and modularity_label.
"""
import json
import os
import sys

sys.path.insert(0, sys.argv[2])
import conversion  # noqa: E402
import rpmfile  # noqa: E402

FLAGS = {"<": rpmfile.LESS, ">": rpmfile.GREATER, "=": rpmfile.EQUAL}
TIME = 1_522_930_800


def dependency(text):
    """`name`, or `name >= 1.0`."""
    name, _, rest = text.partition(" ")
    sense, _, version = rest.partition(" ")
    return name, sum(FLAGS[sign] for sign in sense), version


for described in json.load(open(sys.argv[1])):
    evr = "%s%s-%s" % (described["epoch"] + ":" if described.get("epoch", "0") != "0" else "", described["version"], described["release"])
    dependencies = {kind: [dependency(text) for text in described.get(kind, [])] for kind in rpmfile.DEPENDENCY_TAGS}
    if described["arch"] != "src":
        dependencies["provides"].append((described["name"], rpmfile.EQUAL, evr))
    package = conversion.Package(
        name=described["name"],
        epoch=described.get("epoch", "0").replace("0", "") or "",
        version=described["version"],
        release=described["release"],
        arch=described["arch"],
        summary=described["name"],
        description=described["name"],
        group="Unspecified",
        license="MIT",
        packager="",
        url="",
        time=TIME,
        changelog=[],
        source_rpm=described.get("source_rpm", ""),
        files=[("/usr/share/doc/%s" % described["name"], rpmfile.REGULAR | 0o644, evr.encode())] if described["arch"] != "src" else [],
        dependencies=dependencies,
        modularity_label=described.get("modularity_label", ""),
    )
    os.makedirs(os.path.dirname(described["path"]), exist_ok=True)
    with open(described["path"], "wb") as stream:
        stream.write(rpmfile.rpm(package))
    os.utime(described["path"], (TIME, TIME))
