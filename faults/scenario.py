"""What a scenario gets: a directory, the programs, a random seed, and a place for its figures."""
import contextlib
import os
import shutil
import subprocess

from checks import Checker, processes_below
from cluster import Cluster
from receivers import Follower, Webhook
from service import Service


class Skipped(Exception):
    """The scenario cannot run here. The message says what is missing."""


class Scenario:
    def __init__(self, name, options):
        self.name, self.options = name, options
        self.directory = f"{options.directory}/{name.replace(' ', '-')}"
        self.program, self.quick, self.seed = options.program, options.quick, options.seed
        self.figures = []
        self._closing = contextlib.ExitStack()
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        os.chmod(self.directory, 0o755)

    def say(self, text):
        """Prints a line with the name of the scenario, because others may run at the same time."""
        print(f"{self.name}: {text}", flush=True)

    def note(self, figure):
        self.figures.append(figure)
        self.say(figure)

    def amount(self, whole, quick):
        """Returns the first number, or the second one in a quick run."""
        return quick if self.quick else whole

    def on_close(self, action, *arguments):
        self._closing.callback(action, *arguments)

    def close(self):
        self._closing.close()

    def path(self, name):
        os.makedirs(f"{self.directory}/{name}", exist_ok=True)
        return f"{self.directory}/{name}"

    def cluster(self, name="postgresql"):
        """Makes a cluster with an empty database, which is stopped at the end."""
        cluster = Cluster(f"{self.directory}/{name}").create()
        self.on_close(cluster.stop, "immediate")
        cluster.database()
        return cluster

    def service(self, address, name="service", program=None, **options):
        return Service(program or self.program, self.path(name), address, **options)

    def subscribers(self, service_options, refuses=0):
        """Returns a webhook, and the options of a service that posts to it."""
        webhook = Webhook(refuses)
        self.on_close(webhook.close)
        settings = dict(service_options.get("settings", {}))
        settings["events"] = {"webhooks": [webhook.url]}
        return webhook, {**service_options, "settings": settings}

    def follower(self, service):
        follower = Follower(service)
        self.on_close(follower.close)
        return follower

    def checker(self, service, cluster):
        return Checker(service, cluster)

    @contextlib.contextmanager
    def small_disk(self, name, size):
        """A file system of its own, which only root can mount. Yields its directory."""
        if os.getuid() != 0:
            raise Skipped("only root can mount a small disk")
        disk = self.path(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", disk], check=True)
        try:
            yield disk
        finally:
            subprocess.run(["umount", disk], check=False)

    @property
    def left_processes(self):
        return processes_below(self.directory)
