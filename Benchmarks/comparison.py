"""The limit of a changed repository: its documents, read, checked, decompressed and compared, and nothing else."""
import gzip
import os
import shutil
import subprocess

from floor import HERE, documents


class Comparison:
    def __init__(self, directory):
        self._directory = directory
        os.makedirs(directory, exist_ok=True)
        self._program = f"{directory}/compare"
        subprocess.run(["cc", "-O2", "-o", self._program, f"{HERE}/compare.c", "-lisal", "-lnettle", "-lpthread"], check=True)

    def measure(self, repository):
        """Returns the seconds that the present documents of the repository take."""
        stored = sorted(documents(repository).values(), key=os.path.getsize, reverse=True)
        pairs = []
        for number, path in enumerate(stored):
            plain = f"{self._directory}/{number}.xml"
            with gzip.open(path) as packed, open(plain, "wb") as copy:
                shutil.copyfileobj(packed, copy)
            pairs += [path, plain]
        return float(subprocess.run([self._program, *pairs], check=True, capture_output=True).stdout)
