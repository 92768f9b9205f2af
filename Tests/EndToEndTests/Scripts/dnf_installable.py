"""dnf_installable.py REPOSITORY [PACKAGE...]: for each package, alone, whether dnf can install it from that repository and nothing else.

Prints JSON: for each package that can be installed all packages that come along, as name-version-release.arch; null for any other.
"""
import json
import os
import sys
import tempfile

import dnf
import dnf.conf
import dnf.exceptions


def installed_with(base, name):
    base.reset(goal=True)
    try:
        base.install(name)
        base.resolve()
    except (dnf.exceptions.MarkingError, dnf.exceptions.DepsolveError):
        return None
    return sorted(f"{package.name}-{package.version}-{package.release}.{package.arch}" for package in base.transaction.install_set)


def main(repository, names):
    with tempfile.TemporaryDirectory() as scratch:
        root = os.path.join(scratch, "root")
        os.mkdir(root)
        conf = dnf.conf.Conf()
        conf.installroot = root
        conf.cachedir = os.path.join(scratch, "cache")
        conf.persistdir = scratch
        conf.logdir = scratch
        conf.reposdir = []
        conf.substitutions.update({"arch": "x86_64", "basearch": "x86_64", "releasever": "1"})
        conf.install_weak_deps = False
        conf.plugins = False
        with dnf.Base(conf) as base:
            base.repos.add_new_repo("compose", conf, baseurl=[repository])
            base.fill_sack(load_system_repo=False)
            print(json.dumps({name: installed_with(base, name) for name in names}))


main(sys.argv[1], sys.argv[2:])
