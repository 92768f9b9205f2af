"""The base of the scenarios about images: a registry, a system image, and services that build."""
import os
import re
import shutil
import subprocess
import time
import urllib.request

from images import layers
from images.builders import Builders, temporary
from images.registry import Registry
from service import Service
from world import TESTS_REPO

ENDED = (2, 3, 4)  # done, removed, failed


class ImageWorld:
    """A registry, and a directory that the user that builds can enter."""

    def __init__(self, world, name):
        self.world = world
        self.directory = temporary(name)
        self.registry = Registry(f"{self.directory}/registry")
        self._numbers = iter(range(1, 1 << 30))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.registry.__exit__()
        # Files of images belong to subordinate numbers of the user.
        if os.getuid():
            subprocess.run(["buildah", "unshare", "rm", "-rf", self.directory], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def file(self, name):
        return f"{self.directory}/{name}"

    # Layers. Those of the system stay for the next run.

    @property
    def _kept(self):
        path = f"{self.world.directory}/images"
        os.makedirs(path, exist_ok=True)
        return path

    def system(self):
        """Returns the layer of a small system with dnf, without an rpmdb. It has some 65 MB."""
        return layers.kept(f"{self._kept}/system.tar.gz", lambda path: layers.system(path, layers.root(self._kept)))

    def system_with_rpmdb(self):
        def make(path):
            return layers.system(path, layers.root(self._kept), layers.database(self._kept)[0])

        return layers.kept(f"{self._kept}/system-rpmdb.tar.gz", make)

    def rpmdb(self):
        """Returns a small layer with an rpmdb, and the number of its packages."""
        database, count = layers.database(self._kept)
        return layers.rpmdb_layer(self.file("rpmdb.tar.gz"), database), count

    def another(self, layer):
        """Returns a layer with the same content and another digest."""
        return layers.another(layer, self.file("another.tar.gz"), next(self._numbers))

    # Programs.

    def builders(self, name):
        return Builders(self.file(name), self.registry.host)

    def service(self, name="service", workers=None, images=None, **more):
        """Starts a service that builds images for the registry."""
        settings = {"images": {"registry": self.registry.host, "insecure_registries": [self.registry.host], **(images or {})}}
        database = more.pop("database", None) or self.world.database()[1]
        return ImageService(self.world.program, self.file(name), database, [TESTS_REPO], workers, settings, **more)


class ImageService(Service):
    def wait_for_node(self, patience=60):
        """Waits until the worker has tried its node, and builds."""
        self.workers[0].when_said("images are built here", patience=patience)

    def add(self, name, containerfile):
        """Adds an image for this machine's platform, and returns its number."""
        definition = {"source": {"containerfile": containerfile}, "platforms": ["linux/amd64"]}
        return self.call("POST", "/api/1/images/", {"repository": name, "definition": definition})["id"]

    def ask(self, image, composes=()):
        return self.call("POST", f"/api/1/images/{image}/builds", {"composes": list(composes)})

    def ended(self, path, identifier):
        """Waits until a build or a rebuild has ended, and returns it.

        The service answers when a build has ended, as it does for `odcs`. A rebuild ends with the last of its builds. A service
        that cannot wait is polled.
        """
        while True:
            found = self.call("GET", f"/api/1/{path}/{identifier}")
            if found["state"] in ENDED:
                if found["state_name"] != "done":
                    raise RuntimeError(f"{path} {identifier}: {found.get('state_reason') or found}")
                return found
            begin = time.perf_counter()
            open_builds = [row["build"] for row in found.get("plan", []) if row["build"] and row["build_state"] not in ENDED]
            if path == "builds" or open_builds:
                self.call("GET", f"/api/1/builds/{identifier if path == 'builds' else open_builds[0]}?wait=30")
            # Both processors are busy with builds, and each question takes some milliseconds of one.
            if time.perf_counter() - begin < 0.02:
                time.sleep(0.05)

    def build(self, image, composes=()):
        return self.ended("builds", self.ask(image, composes)["id"])

    def log(self, build):
        with urllib.request.urlopen(f"{self.url}/api/1/builds/{build}/log") as answer:
            return answer.read().decode()

    def tools_time(self, build):
        """Returns the seconds that buildah took to build and to push, by the log of the build."""
        text = self.log(build)
        built = re.search(r"^odcs: The image was built in ([0-9.]+) seconds", text, re.MULTILINE)
        pushed = re.search(r"^odcs: The image was pushed in ([0-9.]+) seconds", text, re.MULTILINE)
        return float(built[1]) + float(pushed[1])
