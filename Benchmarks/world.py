"""The base of all scenarios: repositories, requests, the database, the rivals, and services."""
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

# Packages that people ask for. Requests have these first, and then random names.
WELL_KNOWN = ["nginx", "gcc", "libreoffice-calc", "postgresql-15", "git", "python3-pandas", "curl", "vim", "emacs-nox", "redis-server"]

# The packages with /bin/sh, /usr/bin/perl and /usr/bin/python3. They are essential in Debian, so
# other packages require them only by these names.
ESSENTIAL = ["dash", "perl-base", "python3-minimal"]


class World:
    """The base of a run. A quick run has fewer packages, fewer rows and shorter loads, but it runs the
    same code.
    """

    def __init__(self, program, directory, database, venv, options):
        self.program = program
        self.directory = directory
        self.venv = venv
        self.quick = options.quick
        self.runs = 3 if options.quick else 5
        self.packages = options.packages or (3000 if options.quick else 0)
        self.cluster = Cluster(database, shared_preload_libraries="pg_stat_statements")
        self.tools = Tools(self.fresh("tools"), venv)
        self.floor = Floor(self.fresh("floor"))
        # The server requires that the directories that it may read exist.
        os.makedirs(f"{directory}/repositories", exist_ok=True)
        self._databases = 0
        # The results of a run beside its rows: the values of the plots, and the costs of a compose.
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
        """Returns a repository of `count` packages, and makes it if it does not exist.

        It stays for the next run. The default is the number of packages of this run. 0 means all packages
        of Debian.
        """
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
        """Returns `count` names of packages, first the well-known names, then others.

        They are the same in each run.
        """
        names = self.names(repository)
        known = [name for name in WELL_KNOWN if name in names]
        others = [name for name in random.Random(7).sample(names, min(len(names), count + 40)) if name not in known]
        return (known + others)[:count]

    # Services.

    def database(self):
        """Makes an empty database, and returns its name and its connection string."""
        self._databases += 1
        name = f"bench{self._databases}"
        self.cluster.database(name)
        return name, self.cluster.socket_address(name)

    def service(self, name, workers=None, settings=None, database=None, keep=False):
        """Starts a service with a state directory of its own.

        The directory is new, unless `keep` takes over the directory of the last service with that name.
        """
        directory = f"{self.directory}/{name}"
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
        roots = [f"{self.directory}/repositories", TESTS_REPO]
        return Service(self.program, directory, database or self.database()[1], roots, workers, settings)

    def remove(self, service):
        """Deletes all files of a service. They are large if many of its composes have all packages."""
        subprocess.run(["rm", "-rf", service.directory], check=True)
