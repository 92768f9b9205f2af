"""The inputs that the mutations begin with. They are small, and their parsers read them."""
import glob
import gzip
import io
import json
import os
import random
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIGEST = "sha256:" + "0" * 63 + "1"


def _file(path):
    with open(f"{ROOT}/{path}", "rb") as stream:
        return stream.read()


def _repodata(kind):
    path = next(iter(glob.glob(f"{ROOT}/tests-repo/repodata/*{kind}.xml*")))
    with open(path, "rb") as stream:
        data = stream.read()
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    return data


def _packages(document):
    """Returns a document of the first few packages, and one of each of them alone."""
    begin = document.index(b"<package ")
    head, tail = document[:begin], b"\n" + document[document.rindex(b"</") :]
    parts = [b"<package " + part for part in document[begin : -len(tail)].split(b"<package ")[1:]]
    return [head + b"".join(parts[:4]) + tail] + [head + part + tail for part in parts[4:12]]


def _rpms():
    """Returns packages up to the end of their headers, and a little of the payload."""
    names = ["ed-1.20-3.x86_64.rpm", "ed-words-1.3-1.noarch.rpm", "libed-1.1-2.src.rpm", "ed-suite-4.2-1.src.rpm"]
    return [_file(f"tests-repo/Packages/{name}")[:12000] for name in names]


def _json(*values):
    return [json.dumps(value, indent=1).encode() for value in values]


REQUESTS = _json(
    {"source": {"type": "repo", "source": "https://mirror.example.org/os/", "packages": ["ed", "libed-1.1-2"]}, "flags": ["no_deps"],
     "arches": ["x86_64", "aarch64"], "seconds-to-live": 3600, "results": ["iso"], "sigkeys": ["", "F00D"], "multilib_method": ["devel"],
     "lookaside_repos": ["https://mirror.example.org/extra/"], "label": "RC-1.0", "compose_type": "test"},
    {"source": {"type": "module", "source": "testmodule:master:20170515074419 platform:f30", "modular_koji_tags": ["m"],
                "base_module_br_name": "platform", "base_module_br_stream": "f30", "base_module_br_stream_version_gte": 300},
     "flags": []},
    {"source": {"type": "tag", "source": "f39", "packages": ["*"], "koji_event": 12345, "builds": ["ed-1.20-3"]},
     "flags": ["include_unpublished_pulp_repos", "check_deps"], "renew": 7},
    {"source": {"type": "build", "source": "", "builds": ["ed-1.20-3", "libed-1.1-2"], "scratch_build_tasks": [5]}, "target_dir": "default"},
)

QUERIES = [
    b"owner=me&state=done&source_type=repo&source=%2Fsrv%2Frepo+b&order_by=-id&order_by=time_done&page=2&per_page=50&label=RC-1.0",
    b"after=12&limit=100&wait=30&compose=7&watch=3&owner=me&state=failed&source_type=1&kind=compose",
    b"41",
]

LOCKS = _json(
    {"version": 1, "request": {"arches": ["x86_64"], "flags": ["no_reuse"], "packages": ["ed"]},
     "submission": {"arches": ["x86_64"], "source": {"packages": ["ed"], "source": "https://mirror.example.org/os/", "type": "repo"}},
     "pins": {"lookaside": [], "repositories": [{"location": "https://mirror.example.org/os/", "repomd": DIGEST}]},
     "sources": [{"location": "https://mirror.example.org/os/", "lookaside": False, "repomd": DIGEST}], "absent": [], "missing": [],
     "packages": [{"nevra": "ed-1.20-3.x86_64", "why": "requested by ed", "reason": {"requested": {"by": "ed"}}, "checksum": DIGEST,
                   "size": 6272, "repomd": DIGEST, "location": "Packages/ed.rpm", "path": "x86_64/os/Packages/e/ed.rpm"}]},
)

MANIFESTS = _json(
    {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": {"a": "b"},
     "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 7},
     "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 12}]},
    {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "subject": {
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": DIGEST, "size": 5}, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": DIGEST, "size": 5,
         "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}]},
    {"created": "2026-11-30T00:00:00Z", "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
     "config": {"Env": ["PATH=/usr/bin"], "Labels": {"name": "ed"}, "Entrypoint": ["/bin/sh"], "ExposedPorts": {"80/tcp": {}}, "OnBuild": []},
     "history": [{"created": "2026-11-30T00:00:00Z", "created_by": "RUN true", "empty_layer": True}, {}]},
)

STATEMENTS = _json(
    {"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"keyid": "a", "sig": "MEUCIQ=="}]},
    {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "r/a", "digest": {"sha256": "0" * 64}}],
     "predicateType": "https://slsa.dev/provenance/v1",
     "predicate": {"buildDefinition": {"buildType": "https://example.org", "externalParameters": {"build": 1}, "resolvedDependencies": [
         {"uri": "oci://r/b", "digest": {"sha256": "0" * 64}}]}, "runDetails": {"builder": {"id": "https://odcs"}}}},
    {"spdxVersion": "SPDX-2.3", "name": "a", "packages": [{"name": "ed", "versionInfo": "1.20-3", "externalRefs": [
        {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:rpm/ed@1.20-3?arch=x86_64"}]}]},
)

RPMS_JSON = _json(
    {"header": {"type": "productmd.rpms", "version": "1.2"}, "payload": {"compose": {"id": "a"}, "rpms": {"Everything": {"x86_64": {
        "ed-0:1.20-3.src": {"ed-0:1.20-3.x86_64": {"category": "binary", "path": "a", "sigkey": None},
                            "ed-0:1.20-3.src": {"category": "source", "path": "b", "sigkey": "f"}}}}}}},
)

CONTAINERFILES = [
    b"# escape=\\\nARG VERSION=1\nFROM quay.io/team/base:${VERSION} AS build\nRUN --mount=type=bind,from=odcs,target=/run/odcs dnf -y install \\\n"
    b"    ed libed\nCOPY --from=build --chown=1:2 [\"a b\", \"/c/\"]\nENV A=\"x y\" B='$A' C=${VERSION:-2}\nFROM scratch\nCOPY --from=0 /c /\n"
    b"USER 1000\nHEALTHCHECK --interval=5s CMD [\"true\"]\nCMD [\"/bin/sh\", \"-c\", \"true\"]\n",
    b"FROM base\nRUN <<EOF\necho a\nEOF\nCOPY <<-\"X\" /a\n\tb\nX\nADD https://example.org/a /\nSHELL [\"/bin/bash\"]\nLABEL a=b \"c d\"=e\n"
    b"VOLUME /a /b\nEXPOSE 80/tcp 81\nARG TARGETARCH\nRUN --mount=type=cache,target=/x,id=y --network=none true\n",
    b"#syntax=a/b\nFROM --platform=$BUILDPLATFORM a@sha256:" + b"0" * 64 + b"\nONBUILD RUN a\nSTOPSIGNAL 9\nWORKDIR a\n",
]

COMPONENTS = [
    b"build:\n  - meson setup build\n  - ninja -C build\nartifacts: [build/a, 'b c/*.so']\ndependencies:\n  rocky9: &d [gcc, meson]\n  fedora: *d\n"
    b"environments: [rocky9]\ndescription: |\n  text\n",
    b"build: make\nartifacts:\n- a\ndependencies: [ed, \"libed >= 1\"]\n",
]

MODULES = [
    b"---\ndocument: modulemd\nversion: 2\ndata:\n  name: ed\n  stream: \"1\"\n  version: 20261130\n  context: deadbeef\n  arch: x86_64\n"
    b"  summary: Editors\n  description: >-\n    Editors\n  license:\n    module: [MIT]\n  dependencies:\n  - buildrequires:\n      platform: [el9]\n"
    b"    requires:\n      platform: [el9]\n  profiles:\n    common:\n      rpms: [ed]\n  api:\n    rpms: [ed]\n  artifacts:\n    rpms:\n"
    b"    - ed-0:1.20-3.x86_64\n...\n---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: ed\n  stream: \"1\"\n  profiles:\n    1: [common]\n...\n",
    b"---\ndocument: modulemd\nversion: 1\ndata:\n  name: old\n  stream: a\n  version: 1\n  summary: S\n  description: D\n  license:\n    module: [MIT]\n"
    b"  artifacts:\n    rpms: [ed-1.20-3.x86_64]\n...\n---\ndocument: modulemd-obsoletes\nversion: 1\ndata:\n  modified: 2026-11-30T00:00Z\n"
    b"  module: ed\n  stream: \"1\"\n  message: Old\n  obsoleted_by:\n    module: ed\n    stream: \"2\"\n...\n",
]

FORMS = [
    b"--XX\r\nContent-Disposition: form-data; name=\"component\"\r\n\r\ned\r\n--XX\r\nContent-Disposition: form-data; name=\"file\"; "
    b"filename=\"a.tar.gz\"\r\nContent-Type: application/gzip\r\n\r\n" + b"\x1f\x8b\x08" * 100 + b"\r\n--XX--\r\n",
]


def _tar(format=tarfile.PAX_FORMAT):
    """Returns an archive with all kinds of entries."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        def add(name, kind=tarfile.REGTYPE, content=b"", link="", **pax):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname, entry.mode, entry.pax_headers = kind, len(content), link, 0o755, pax
            archive.addfile(entry, io.BytesIO(content))

        add("usr", tarfile.DIRTYPE)
        add("usr/Containerfile", content=b"FROM scratch\n")
        add("Containerfile", content=b"FROM scratch\n")
        add("usr/lib/sysimage/rpm/rpmdb.sqlite", content=b"SQLite format 3\0" + bytes(500))
        add("a" * 150 + "/" + "b" * 90, content=b"x")
        add("link", tarfile.SYMTYPE, link="usr")
        add("hard", tarfile.LNKTYPE, link="usr/Containerfile")
        add("usr/.wh.old")
        add("usr/.wh..wh..opq")
        if format == tarfile.PAX_FORMAT:
            add("pax", content=b"x", **{"SCHILY.xattr.user.a": "b", "comment": "c" * 300})
    return stream.getvalue()


TARS = [_tar(), _tar(tarfile.GNU_FORMAT)]
ARCHIVES = [gzip.compress(tar, mtime=0) for tar in TARS] + TARS


def _koji():
    """Returns answers of a recorded hub, the small ones."""
    names = sorted(glob.glob(f"{ROOT}/Tests/ScriptedHub/Recordings/*.response.xml"), key=lambda name: (os.path.getsize(name), name))
    return [_file(os.path.relpath(name, ROOT)) for name in random.Random(3).sample(names, min(len(names), 40)) if os.path.getsize(name) < 20000]


# The name of the parser, and its seeds.
SEEDS = {
    "component": COMPONENTS,
    "containerfile": CONTAINERFILES,
    "context": ARCHIVES,
    "filelists": _packages(_repodata("filelists")),
    "form": FORMS,
    "koji": _koji(),
    "layer": ARCHIVES,
    "lock": LOCKS,
    "manifest": MANIFESTS,
    "modules": MODULES,
    "primary": _packages(_repodata("primary")),
    "query": QUERIES,
    "repomd": [_file("tests-repo/repodata/repomd.xml")],
    "request": REQUESTS,
    "rpm": _rpms(),
    "rpms": RPMS_JSON,
    "statement": STATEMENTS,
}

# Of these, most inputs are compressed after the mutation, because a compressed input that was changed
# rarely gets past its checksum.
COMPRESSED = {"context", "layer"}
