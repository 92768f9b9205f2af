#!/usr/bin/env python3
"""Makes an RPM repository with the names, versions and dependencies of Debian's packages. See README.md beside this file."""
import argparse
import collections
import glob
import json
import multiprocessing
import os
import shutil
import subprocess
import sys

import debian
import rpmfile
from conversion import Conversion
from selection import closed_subset


def write(out, tree, package):
    """Writes the package and returns its line of the manifest."""
    path = "%s/%s" % (tree, package.path)
    file = os.path.join(out, path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    data = rpmfile.rpm(package)
    with open(file, "wb") as stream:
        stream.write(data)
    # The time is part of the repodata.
    os.utime(file, (package.time, package.time))
    return (path, package.name, package.epoch or "0", package.version, package.release, package.arch, package.source_rpm, len(data))


def write_builds(arguments):
    """Writes all packages of some builds: the work of one process."""
    out, conversion, builds, has_companions = arguments
    lines = []
    for build in builds:
        lines += [write(out, "os", conversion.binary(package)) for package in build]
        if has_companions:
            lines += [write(out, tree, package) for tree, package in conversion.companions(build)]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="the directory to create: os/, debug/, source/, manifest.tsv, builds.json")
    parser.add_argument("--count", type=int, default=0, help="about so many packages, such that what they need is among them; 0: all")
    parser.add_argument("--seeds", default="bash,nginx,gcc,postgresql-15,python3,git", help="packages taken first, with --count")
    parser.add_argument("--seed", default="1", help="another one gives another selection")
    parser.add_argument("--debug-source", action="store_true", help="debug and source packages too, in trees of their own")
    parser.add_argument("--packages", action="append", help="an index file (.gz, .xz, .lz4 or plain) instead of apt's own")
    parser.add_argument("--createrepo", action="store_true", help="run createrepo_c on each tree")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes write")
    parser.add_argument("--force", action="store_true", help="replace the directory")
    options = parser.parse_args()

    out = os.path.abspath(options.out)
    if os.path.exists(out) and not options.force:
        sys.exit("%s exists; --force replaces it" % out)
    index = options.packages or sorted(glob.glob("/var/lib/apt/lists/*_main_binary-amd64_Packages*"), key=os.path.getsize)[-1:]
    if not index:
        sys.exit("there is no package index: run 'apt-get update' on Debian, or name one by --packages")
    everything = debian.parse_index(index)
    packages = closed_subset(everything, options.count, options.seeds.split(","), options.seed) if options.count else everything

    builds = collections.defaultdict(list)
    for package in packages:
        builds[package.source, package.source_version, package.source_release].append(package)
    shutil.rmtree(out, ignore_errors=True)
    conversion = Conversion(everything)
    shares = [(out, conversion, list(builds.values())[job :: options.jobs], options.debug_source) for job in range(options.jobs)]
    with multiprocessing.Pool(options.jobs) as pool:
        lines = sorted(line for share in pool.map(write_builds, shares, 1) for line in share)

    with open(out + "/manifest.tsv", "w") as manifest:
        manifest.write("path\tname\tepoch\tversion\trelease\tarch\tsourcerpm\tsize\n")
        manifest.writelines("\t".join(map(str, line)) + "\n" for line in lines)
    files = collections.defaultdict(list)
    for path, name, _, version, release, _, source_rpm, _ in lines:
        files[source_rpm.removesuffix(".src.rpm") or "%s-%s-%s" % (name, version, release)].append(path)
    with open(out + "/builds.json", "w") as stream:
        json.dump(files, stream, indent=0, sort_keys=True)
    if options.createrepo:
        for tree in ["os", "debug", "source"] if options.debug_source else ["os"]:
            subprocess.run(["createrepo_c", "--quiet", "--no-database", "%s/%s" % (out, tree)], check=True)
    print("%d packages of %d" % (len(lines), len(everything)))


if __name__ == "__main__":
    main()
