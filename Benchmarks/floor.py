"""The floor of a compose: hard links to the same packages, and the same metadata, compressed to about
the same size.
"""
import glob
import gzip
import os
import shutil
import subprocess
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
# The default level of zlib, which createrepo_c uses, and the level of libdeflate that odcs-server
# uses because its files are equally small.
LEVELS = {"zlib": 6, "libdeflate": 5}


class Floor:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self._program = f"{directory}/floor"
        subprocess.run(["cc", "-O2", "-o", self._program, f"{HERE}/floor.c", "-lz", "-ldeflate"], check=True)
        self._compressed = 0

    def take(self, repository, source):
        """Prepares the floor of a repository for the next measurements. Returns the number of its packages.

        The packages of the repository are links to files somewhere below `source`.
        """
        places = {os.path.basename(path): path for path in glob.glob(f"{source}/**/*.rpm", recursive=True)}
        files = [os.path.relpath(path, repository) for path in glob.glob(f"{repository}/**/*.rpm", recursive=True)]
        with open(f"{self.directory}/links", "w") as links:
            links.writelines(f"{places[os.path.basename(file)]}\t{file}\n" for file in files)
        self._compressed = 0
        with open(f"{self.directory}/metadata", "w") as names:
            for kind, path in documents(repository).items():
                self._compressed += os.path.getsize(path)
                with gzip.open(path) as packed, open(f"{self.directory}/{kind}.xml", "wb") as plain:
                    shutil.copyfileobj(packed, plain)
                names.write(f"{plain.name}\n")
        return len(files)

    def measure(self):
        """Returns the seconds that the floor takes with zlib."""
        return self._measure("zlib")

    def measure_libdeflate(self):
        """Returns the seconds that the floor takes with libdeflate, with which odcs-server compresses."""
        return self._measure("libdeflate")

    def _measure(self, library):
        target = f"{self.directory}/tree"
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        command = [self._program, library, str(LEVELS[library]), f"{self.directory}/links", f"{self.directory}/metadata", target]
        links, compression, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        if self._compressed > 1.03 * int(size):
            raise RuntimeError(f"the floor compresses to {size} bytes and the service to {self._compressed}: that is another level")
        return float(links) + float(compression)


def documents(repository):
    """Returns the paths of the repository's primary, filelists and other metadata, by these names."""
    repomd = xml.etree.ElementTree.parse(f"{repository}/repodata/repomd.xml")
    named = {data.get("type"): data.find("{*}location").get("href") for data in repomd.iterfind("{*}data")}
    return {kind: f"{repository}/{named[kind]}" for kind in ("primary", "filelists", "other")}
