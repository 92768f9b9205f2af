"""What all scenarios stand on: repositories, requests, the database, the rivals, and a service whenever one is needed."""
import csv
import os
import random
import shutil
import subprocess
import sys

from cluster import Cluster
from floor import Floor
from rivals import Tools
from service import Service

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTS_REPO = f"{PROJECT}/tests-repo"

# What people ask for, before names at random.
WELL_KNOWN = ["nginx", "gcc", "libreoffice-calc", "postgresql-15", "git", "python3-pandas", "curl", "vim", "emacs-nox", "redis-server"]

# What has /bin/sh, /usr/bin/perl and /usr/bin/python3, which are essential in Debian and so required by name alone.
ESSENTIAL = ["dash", "perl-base", "python3-minimal"]


class World:
    """A quick one has fewer packages and rows and shorter loads, and runs the same code."""

    def __init__(self, program, directory, database, venv, options):
        self.program = program
        self.directory = directory
        self.venv = venv
        self.quick = options.quick
        self.runs = 3 if options.quick else 5
        self.packages = options.packages or (3000 if options.quick else 0)
        self.cluster = Cluster(database)
        self.tools = Tools(self.fresh("tools"), venv)
        self.floor = Floor(self.fresh("floor"))
        # The server wants what it may read to be there.
        os.makedirs(f"{directory}/repositories", exist_ok=True)
        self._databases = 0
        # What a run finds beside its rows: what is plotted, and what a compose costs.
        self.growth = {}
        self.facts = {}

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def fresh(self, name):
        path = f"{self.directory}/{name}"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    # Repositories.

    def repository(self, count=None):
        """A repository of so many packages, by default as many as this run has; 0: all of Debian's. It stays for the next run."""
        count = self.packages if count is None else count
        root = f"{self.directory}/repositories/{count or 'all'}"
        if not os.path.exists(f"{root}/os/repodata/repomd.xml"):
            self.say(f"making a repository of {count or 'all'} packages in {root}")
            os.makedirs(os.path.dirname(root), exist_ok=True)
            make = [sys.executable, f"{PROJECT}/tools/realrepo/realrepo.py", "--out", root, "--count", str(count), "--force"]
            subprocess.run([*make, "--seeds", ",".join(ESSENTIAL + WELL_KNOWN)], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([f"{self.venv}/bin/createrepo_c", "-q", "--general-compress-type=gz", f"{root}/os"], check=True)
        return f"{root}/os"

    def names(self, repository):
        with open(f"{os.path.dirname(repository)}/manifest.tsv") as stream:
            return sorted({line["name"] for line in csv.DictReader(stream, delimiter="\t")})

    def requests(self, repository, count):
        """So many names of packages: the well-known ones first, then others, the same in each run."""
        names = self.names(repository)
        known = [name for name in WELL_KNOWN if name in names]
        others = [name for name in random.Random(7).sample(names, min(len(names), count + 40)) if name not in known]
        return (known + others)[:count]

    # Services.

    def database(self):
        """A new, empty database; its name and its address."""
        self._databases += 1
        name = f"bench{self._databases}"
        self.cluster.create(name)
        return name, self.cluster.url(name)

    def service(self, name, workers=None, settings=None, database=None, keep=False):
        """A service with a state of its own, new unless `keep` takes over the one that was made with that name."""
        directory = f"{self.directory}/{name}"
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
        roots = [f"{self.directory}/repositories", TESTS_REPO]
        return Service(self.program, directory, database or self.database()[1], roots, workers, settings)

    def remove(self, service):
        """What a service wrote, which is much if many of its composes have all packages."""
        subprocess.run(["rm", "-rf", service.directory], check=True)
