#!/usr/bin/python3
"""Reads repositories with dnf and with libsolv, and compares the checksum of each package.

It runs with Debian's Python, which has the modules dnf and solv. Each line of the input is the
directory of a repository, and optionally its .repo file after a tab. Prints a line for each
repository that cannot be read, and at the end the number of packages.
"""
import hashlib
import os
import sys
import tempfile

import dnf
import solv

_sums = {}


def sum_of(path):
    """Returns the SHA-256 of a file. Hard links are read once."""
    status = os.stat(path)
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _sums:
        with open(path, "rb") as stream:
            _sums[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _sums[key]


def by_libsolv(directory):
    """Returns {location: checksum} of the packages, from metadata whose checksums are right."""
    pool = solv.Pool()
    repo = pool.add_repo("compose")
    with open(f"{directory}/repodata/repomd.xml", "rb") as stream:
        repo.add_repomdxml(solv.xfopen_fd("repomd.xml", os.dup(stream.fileno())), 0)
    records = {}
    data = repo.Dataiterator_meta(solv.REPOSITORY_REPOMD_TYPE, None, 0)
    data.prepend_keyname(solv.REPOSITORY_REPOMD)
    for found in data:
        place = found.parentpos()
        records[str(found)] = (place.lookup_str(solv.REPOSITORY_REPOMD_LOCATION), place.lookup_checksum(solv.REPOSITORY_REPOMD_CHECKSUM))
    for name, (location, checksum) in records.items():
        found = sum_of(f"{directory}/{location}")
        if found != checksum.hex():
            raise ValueError(f"{location} has the checksum {found}, not {checksum.hex()}")
    for name in ("primary", "filelists"):
        path = f"{directory}/{records[name][0]}"
        flags = 0 if name == "primary" else solv.Repo.REPO_EXTEND_SOLVABLES | solv.Repo.REPO_LOCALPOOL
        stream = solv.xfopen(path)
        read = repo.add_rpmmd(stream, None, flags) if name == "primary" else repo.add_rpmmd(stream, "FL", flags)
        if not read:
            raise ValueError(f"libsolv cannot read {path}: {pool.errstr}")
    packages = {}
    for package in repo.solvables:
        packages[package.lookup_location()[0]] = package.lookup_checksum(solv.SOLVABLE_CHECKSUM).hex()
    return packages


def by_dnf(directory, repofile):
    """Returns {location: checksum} of the packages, as dnf reads the repository over HTTP or by its path."""
    with tempfile.TemporaryDirectory() as scratch:
        conf = dnf.conf.Conf()
        conf.installroot, conf.cachedir, conf.persistdir, conf.logdir = f"{scratch}/root", f"{scratch}/cache", scratch, scratch
        conf.substitutions.update({"arch": "x86_64", "basearch": "x86_64", "releasever": "1"})
        conf.plugins, conf.reposdir, conf.gpgcheck = False, [], False
        if repofile:
            os.mkdir(f"{scratch}/repos")
            with open(repofile) as stream, open(f"{scratch}/repos/compose.repo", "w") as copy:
                copy.write(stream.read())
            conf.reposdir = [f"{scratch}/repos"]
        with dnf.Base(conf) as base:
            if repofile:
                base.read_all_repos()
                for repo in base.repos.iter_enabled():
                    repo.skip_if_unavailable = False
            else:
                base.repos.add_new_repo("compose", conf, baseurl=[f"file://{directory}"])
            base.fill_sack(load_system_repo=False)
            return {package.location: package.chksum[1].hex() for package in base.sack.query()}


def check(directory, repofile):
    packages = by_libsolv(directory)
    for location, checksum in packages.items():
        found = sum_of(f"{directory}/{location}")
        if found != checksum:
            raise ValueError(f"{location} has the checksum {found}, not {checksum}")
    # dnf leaves out sources and other architectures unless it is asked for them.
    read = by_dnf(directory, repofile)
    for location, checksum in read.items():
        if packages.get(location) != checksum:
            raise ValueError(f"dnf reads {location} with the checksum {checksum}, libsolv with {packages.get(location)}")
    return len(packages)


def main():
    count = packages = failed = 0
    for line in sys.stdin:
        directory, _, repofile = line.rstrip("\n").partition("\t")
        try:
            packages += check(directory, repofile)
            count += 1
        except Exception as error:  # Whatever a reader says is the finding.
            failed += 1
            print(f"{directory}: {type(error).__name__}: {error}", flush=True)
    print(f"repositories {count} packages {packages}")
    return 1 if failed else 0


sys.exit(main())
