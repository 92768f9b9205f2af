"""The rivals: buildah, podman and skopeo as a person runs them, without a server.

They run as the same user as the builds of the service, with the same runtime and without a network.
"""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

ACCOUNT = "odcs-build"

# No name and no time zone of the host gets into a build, as in the service.
CONTAINERS = '[containers]\nbase_hosts_file = "none"\nhttp_proxy = false\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'


class Builders:
    """Tools with a storage of their own."""

    def __init__(self, directory, registry):
        self.registry = registry
        self.directory = directory
        os.makedirs(directory)
        for name in ("images", "run", "home", "work"):
            os.makedirs(f"{directory}/{name}", mode=0o700)
        with open(f"{directory}/containers.conf", "w") as stream:
            stream.write(CONTAINERS)
        with open(f"{directory}/registries.conf", "w") as stream:
            stream.write(f'unqualified-search-registries = []\n[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "HOME": f"{directory}/home", "TMPDIR": f"{directory}/work",
            "XDG_RUNTIME_DIR": f"{directory}/run", "CONTAINERS_CONF": f"{directory}/containers.conf",
            "CONTAINERS_REGISTRIES_CONF": f"{directory}/registries.conf",
        }  # fmt: skip
        self._prefix = as_account()
        give(directory)
        self.log = open(f"{directory}/log", "a")

    def run(self, *command, **options):
        try:
            return subprocess.run(
                [*self._prefix, *command], check=True, env=self.environment, cwd=f"{self.directory}/work", stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=subprocess.STDOUT, **options,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            with open(self.log.name) as log:
                raise RuntimeError(f"{' '.join(command[:12])}: {log.read()[-1500:]}") from error

    def storage(self, program):
        return [program, "--root", f"{self.directory}/images", "--runroot", f"{self.directory}/run", "--storage-driver", "overlay"]

    def context(self, name, containerfile):
        """Makes a directory with a Containerfile, and returns it."""
        path = f"{self.directory}/{name}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/Containerfile", "w") as stream:
            stream.write(containerfile)
        return path

    BUILD = ["build", "--isolation", "rootless", "--runtime", "runc", "--network", "none", "--no-cache", "--layers=false"]

    def build_and_push(self, image, context, volumes):
        """`buildah build` and `buildah push` of one image."""
        options = [option for target, directory in volumes.items() for option in ("--volume", f"{directory}:{target}:ro")]
        self.run(*self.storage("buildah"), *self.BUILD, *options, "--tag", image, context)
        self.run(*self.storage("buildah"), "push", image)

    def makefile(self, images):
        """Writes a Makefile that builds and pushes images with podman, from a dictionary of contexts by name."""
        podman = " ".join(self.storage("podman"))
        build = "build --isolation oci --network none --no-cache --layers=false --quiet"
        with open(f"{self.directory}/Makefile", "w") as stream:
            stream.write(f"all: {' '.join(images)}\n")
            for name, context in images.items():
                image = f"{self.registry}/podman/{name}"
                stream.write(f"{name}:\n\t{podman} {build} --tag {image} {context}\n\t{podman} push --quiet {image}\n")

    def make(self, jobs):
        self.run("make", f"-j{jobs}", "--file", f"{self.directory}/Makefile", "all")

    def remove(self):
        """Removes the storage, whose files belong to subordinate numbers of the user."""
        self.log.close()
        # podman leaves a process that keeps its user namespace.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"{self.directory}/run/libpod/tmp/pause.pid") as stream:
            os.kill(int(stream.read()), signal.SIGKILL)
        if os.getuid():
            subprocess.run(["buildah", "unshare", "rm", "-rf", self.directory], env={**os.environ, **self.environment}, check=False)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def as_account():
    """Returns the arguments that run a program as the user that builds."""
    if os.getuid():
        return []
    account = pwd.getpwnam(ACCOUNT)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]


def give(directory):
    """Gives a directory with its files to the user that builds."""
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", f"{ACCOUNT}:", directory], check=True)


def temporary(name):
    """Makes a directory that the user that builds can enter."""
    path = tempfile.mkdtemp(prefix=f"odcs-bench-{name}-", dir="/var/tmp")
    os.chmod(path, 0o711)
    return path
