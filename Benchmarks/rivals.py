"""The tools with which people make similar repositories by hand, and repo2solv.

The tools are dnf download --resolve, cp -al and createrepo_c. repo2solv comes with dnf's library.
"""
import os
import re
import shutil
import subprocess

from timing import seconds


class Tools:
    def __init__(self, directory, venv):
        self.directory = directory
        self.createrepo = f"{venv}/bin/createrepo_c"
        os.makedirs(f"{directory}/root", exist_ok=True)
        self.log = open(f"{directory}/tools.log", "a")

    def versions(self):
        def first_line(*command):
            return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]

        return {
            "dnf": first_line("dnf", "--version"),
            "createrepo_c": first_line(self.createrepo, "--version").split()[1],
            **{name: first_line(name, "--version").split(" (")[0] for name in ("buildah", "podman", "skopeo")},
            "libsolv": first_line("dpkg-query", "-W", "-f", "${Version}\n", "libsolv1"),
        }

    def _run(self, *command, **options):
        return subprocess.run(command, check=True, stdout=self.log, stderr=subprocess.STDOUT, **options)

    def _dnf(self, repository, *arguments):
        return [
            "dnf", "-q", "-y", f"--setopt=cachedir={self.directory}/cache", "--setopt=reposdir=/dev/null", "--setopt=gpgcheck=0",
            "--setopt=metadata_expire=never", f"--setopt=logdir={self.directory}", "--forcearch=x86_64", "--releasever=12",
            f"--installroot={self.directory}/root", f"--repofrompath=big,file://{repository}", "--repo=big", *arguments,
        ]  # fmt: skip

    def warm(self, repository):
        """Empties dnf's cache and fills it again."""
        shutil.rmtree(f"{self.directory}/cache", ignore_errors=True)
        self._run(*self._dnf(repository, "makecache"))

    def download(self, repository, packages):
        """Returns the seconds of `dnf download --resolve` and createrepo_c. The result is in `downloaded`."""
        shutil.rmtree(self.downloaded, ignore_errors=True)
        return seconds(
            lambda: (
                self._run(*self._dnf(repository, "--setopt=install_weak_deps=0", "download", "--resolve", f"--destdir={self.downloaded}", *packages)),
                self._run(self.createrepo, "-q", self.downloaded),
            )
        )

    def refresh(self, repository, packages):
        """Returns the seconds that dnf takes to read a changed repository, and to download from it.

        The result is in `downloaded`. It becomes a repository afterwards.
        """
        shutil.rmtree(self.downloaded, ignore_errors=True)
        took = seconds(
            lambda: (
                self._run(*self._dnf(repository, "--setopt=metadata_expire=0", "makecache")),
                self._run(*self._dnf(repository, "--setopt=install_weak_deps=0", "download", "--resolve", f"--destdir={self.downloaded}", *packages)),
            )
        )
        self._run(self.createrepo, "-q", self.downloaded)
        return took

    @property
    def downloaded(self):
        return f"{self.directory}/downloaded"

    def copy(self, repository):
        """Returns the seconds of `cp -al` and createrepo_c. The result is in `copied`."""
        shutil.rmtree(self.copied, ignore_errors=True)
        os.makedirs(self.copied)
        return seconds(
            lambda: (
                self._run("cp", "-al", f"{repository}/Packages", self.copied),
                self._run(self.createrepo, "-q", self.copied),
            )
        )

    @property
    def copied(self):
        return f"{self.directory}/copied"

    def solv(self, repository):
        """Returns the seconds of repo2solv."""
        with open(f"{self.directory}/repository.solv", "wb") as out:
            return seconds(lambda: subprocess.run(["repo2solv", repository], check=True, stdout=out, stderr=self.log))

    def installs(self, repository, packages):
        """Returns those of `packages` that dnf installs from that repository alone.

        Some packages of Debian conflict with each other. dnf leaves out those that it cannot install.
        """
        name = f"made{abs(hash(repository))}"
        command = [
            "dnf", "-y", "--assumeno", "--setopt=reposdir=/dev/null", "--setopt=gpgcheck=0", f"--setopt=cachedir={self.directory}/check",
            f"--setopt=logdir={self.directory}", "--setopt=install_weak_deps=0", "--setopt=best=0", "--skip-broken", "--forcearch=x86_64",
            "--releasever=12", f"--installroot={self.directory}/root", f"--repofrompath={name},file://{repository}", f"--repo={name}",
            "install", *packages,
        ]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "300"})
        shutil.rmtree(f"{self.directory}/check", ignore_errors=True)
        part = said.stdout.partition("Installing:")[2]
        part = re.split(r"^(?:Skipping|Transaction Summary)", part, flags=re.MULTILINE)[0]
        planned = {line.split()[0] for line in part.splitlines() if line.startswith(" ") and line.split()}
        if not planned:
            raise RuntimeError(f"dnf would install nothing from {repository}: {said.stdout[-300:]}{said.stderr[-300:]}")
        return set(packages) & planned
