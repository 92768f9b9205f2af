"""Workers that build images are killed."""
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time
import urllib.request

from checks import processes_below
from children import ending_with_caller
from ports import free_port
from scenario import Skipped

NODES = ("n1", "n2")
PLATFORM = "linux/arm64" if os.uname().machine == "aarch64" else "linux/amd64"
MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


def run(scenario):
    """1,000 steps of builds while a random worker gets SIGKILL every 2 seconds.

    Half of the workers build with buildah, and the others with two nodes of podman, which nobody kills.
    """
    missing = [program for program in ("docker-registry", "buildah", "podman", "runc", "newuidmap") if not shutil.which(program)]
    if missing or os.getuid() or not scenario.options.client:
        raise Skipped(f"{', '.join(missing) or 'root or --client'} is missing")
    registry = _registry(scenario)
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 1, "workers": scenario.amount(4, 2), "settings": {
        "images": {"registry": registry, "insecure_registries": [registry], "min_free_megabytes": 0}, "worker": {"retry_seconds": 1},
    }})
    service = scenario.service(cluster.address(), **options)
    for number, worker in enumerate(service.workers):
        _change(worker, {"slots": 0} if number % 2 else {"node_slots": 0})
    nodes = [Engine(scenario, name, registry) for name in NODES]
    with service:
        _base(scenario, service)
        for node in nodes:
            node.add_to(service)
        builds = [_build(service, number, registry) for number in range(scenario.amount(500, 4))]
        dice = random.Random(scenario.seed)
        began, kills, ended = time.monotonic(), 0, 0
        while left := cluster.number("odcs", "SELECT count(*) FROM odcs.builds WHERE state IN (0, 1)"):
            begin = time.monotonic()
            ended += sum(not worker.runs for worker in service.workers)
            victim = dice.choice(service.workers)
            victim.kill()
            victim.start(ready=False)
            kills += 1
            if kills % 30 == 0:
                scenario.say(f"{kills} workers killed, {left} builds left")
            if kills > 30 * len(builds):
                raise RuntimeError(f"{left} builds do not end")
            time.sleep(max(0, 2 - (time.monotonic() - begin)))
        minutes = (time.monotonic() - began) / 60
        for worker in service.workers:
            worker.when_ready()
        checker = scenario.checker(service, cluster)
        checker.must(ended == 0, f"{ended} workers had ended by themselves")
        steps = _check(checker, builds, registry)
        _check_leftovers(checker, service, nodes)
        lost = cluster.number("odcs", "SELECT count(*) FROM odcs.attempts WHERE outcome = 'lost'")
        scenario.note(f"{steps} steps of {len(builds)} builds in {minutes:.0f} minutes, {kills} workers killed, {lost} attempts lost and made again")
        scenario.note(checker.all([], webhook))


def _check(checker, builds, registry):
    """Each build and each step is done, once, and the registry has its list. Returns the number of steps."""
    ids = ", ".join(map(str, builds))
    checker.none(f"SELECT id, state, state_reason FROM builds WHERE id IN ({ids}) AND state <> 2", "builds that are not done")
    checker.none(f"SELECT id, state FROM build_steps WHERE build_id IN ({ids}) AND state <> 2", "steps that are not done")
    checker.none(
        "SELECT build_id, count(*) FROM events WHERE state IN (2, 4) AND build_id IS NOT NULL GROUP BY 1 HAVING count(*) <> 1",
        "builds that ended more than once")
    checker.none(
        "SELECT id FROM builds b WHERE (SELECT count(*) FROM events e WHERE e.build_id = b.id AND e.state IN (2, 4)) <> 1",
        "builds that did not end once")
    checker.none(
        "SELECT step_id, count(*) FROM attempts WHERE outcome = 'done' AND step_id IS NOT NULL GROUP BY 1 HAVING count(*) <> 1",
        "steps that were done more than once")
    for repository, digest in checker.query(
        f"SELECT i.repository, b.digest FROM builds b JOIN images i ON i.id = b.image_id WHERE b.id IN ({ids})"
    ):
        path = repository.removeprefix(f"{registry}/")
        request = urllib.request.Request(f"http://{registry}/v2/{path}/manifests/latest", method="HEAD", headers={"Accept": MANIFESTS})
        with urllib.request.urlopen(request) as answer:
            shown = answer.headers["Docker-Content-Digest"]
        checker.must(shown == digest, f"{path} shows {shown} instead of {digest}")
    return int(checker.query(f"SELECT count(*) FROM build_steps WHERE build_id IN ({ids}) AND state = 2")[0][0])


def _check_leftovers(checker, service, nodes):
    """The workers remove what the killed ones have left: here, and on the nodes."""
    storages = [f"{node.directory}/storage" for node in nodes]

    def containers():
        places = [*storages, f"{service.directory}/images/*/node/images"]
        files = [path for place in places for path in glob.glob(f"{place}/*-containers/containers.json")]
        return [entry["id"] for path in files for entry in _entries(path)]

    def steps():
        files = [path for place in storages for path in glob.glob(f"{place}/*-images/images.json")]
        return [name for path in files for entry in _entries(path) for name in entry.get("names") or [] if "/odcs-step:" in name]

    def files():
        return [path for name in ("contexts", "transfers", "rpmdbs") for path in glob.glob(f"{service.directory}/images/*/{name}/*")]

    def processes():
        return [process for node in nodes for process in node.builds]

    for what, left in (("working containers", containers), ("images on nodes", steps), ("files of workers", files), ("processes", processes)):
        gone = checker.wait_until(lambda left=left: not left(), 400)
        checker.must(gone, f"{what} are left: {left()[:3]}")


def _entries(path):
    try:
        with open(path) as stream:
            return json.load(stream) or []
    except (FileNotFoundError, json.JSONDecodeError):
        # The file is being replaced.
        return []


class Engine:
    """A node: podman's service with a storage of its own."""

    def __init__(self, scenario, name, registry):
        self.name, self.directory = name, scenario.path(name)
        self.socket = f"{self.directory}/engine.sock"
        with open(f"{self.directory}/containers.conf", "w") as stream:
            stream.write('[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n')
        with open(f"{self.directory}/registries.conf", "w") as stream:
            stream.write(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
        environment = {
            **os.environ, "HOME": self.directory, "TMPDIR": scenario.path(f"{name}/work"), "XDG_RUNTIME_DIR": scenario.path(f"{name}/run"),
            "CONTAINERS_CONF": f"{self.directory}/containers.conf", "CONTAINERS_REGISTRIES_CONF": f"{self.directory}/registries.conf",
        }
        self._log = open(f"{self.directory}/log", "ab")
        self._process = subprocess.Popen(
            ending_with_caller([
                "podman", "--root", f"{self.directory}/storage", "--runroot", f"{self.directory}/run", "system", "service", "--time=0",
                f"unix://{self.socket}",
            ]),
            env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
        )
        scenario.on_close(self._end)

    def add_to(self, service):
        """Adds the node, and waits until a worker has tried its platforms."""
        answer = service.call("POST", "/api/1/nodes", {"name": self.name, "connection": f"unix://{self.socket}", "slots": 2})
        if answer.status != 201:
            raise RuntimeError(f"the node was not added: {answer.body[:300]}")
        deadline = time.monotonic() + 120
        while (node := service.call("GET", f"/api/1/nodes/{self.name}").json)["state"] != "ready" or node["awaits_probe"]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no worker has seen the node: {node}")
            time.sleep(0.2)

    @property
    def builds(self):
        """The processes of its builds."""
        return [process for process in processes_below(self.directory) if process != self._process.pid]

    def _end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(30)
        self._log.close()
        # Engines may leave a mount of their storage.
        for place in (f"{self.directory}/storage/overlay", f"{self.directory}/storage"):
            subprocess.run(["umount", "--quiet", place], check=False, stderr=subprocess.DEVNULL)


def _change(process, images):
    """Changes settings of one process."""
    with open(process.configuration) as stream:
        settings = json.load(stream)
    settings["images"] = {**settings["images"], **images}
    with open(process.configuration, "w") as stream:
        json.dump(settings, stream, indent=1)


def _registry(scenario):
    port = free_port()
    configuration = f"{scenario.directory}/registry.yml"
    with open(configuration, "w") as stream:
        json.dump({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": f"{scenario.directory}/registry"}, "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{port}", "secret": "example"},
        }, stream)
    with open(f"{scenario.directory}/registry.log", "w") as log:
        process = subprocess.Popen(ending_with_caller(["docker-registry", "serve", configuration]), stdout=log, stderr=log)

    def end():
        process.terminate()
        process.wait()

    scenario.on_close(end)
    return f"127.0.0.1:{port}"


def _base(scenario, service):
    """Builds the image `base`, which has a shell of this host."""
    folder = scenario.path("base")
    root = f"{folder}/root"
    for name in ("usr/bin", "usr/lib", "usr/lib64", "etc", "tmp", "dev", "proc", "sys"):
        os.makedirs(f"{root}/{name}")
    for name in ("bin", "lib", "lib64"):
        os.symlink(f"usr/{name}", f"{root}/{name}")
    libraries = subprocess.run(["ldd", "/usr/bin/dash"], check=True, capture_output=True, text=True).stdout.split()
    for file in ["/usr/bin/dash"] + [word for word in libraries if word.startswith("/")]:
        os.makedirs(os.path.dirname(f"{root}{file}"), exist_ok=True)
        shutil.copy(os.path.realpath(file), f"{root}{file}")
    os.symlink("dash", f"{root}/usr/bin/sh")
    # buildah leaves an empty file in a layer if the base has none.
    open(f"{root}/etc/hostname", "w").close()
    with open(f"{folder}/Containerfile", "w") as stream:
        stream.write("FROM scratch\nCOPY root /\nENV PATH=/usr/bin\n")
    server = ["--server", f"http://127.0.0.1:{service.frontends[0].port}"]
    environment = {**os.environ, "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    for words in (["image", "add", "base", folder], ["image", "build", "base"]):
        done = subprocess.run([scenario.options.client, *words, *server], capture_output=True, text=True, env=environment)
        if done.returncode:
            raise RuntimeError(f"odcs {' '.join(words)}: {done.stdout[-300:]}{done.stderr[-300:]}")


def _build(service, number, registry):
    """Adds an image and asks for a build of it, which has two steps. Returns the id of the build."""
    text = f"FROM {registry}/base\nRUN echo {number} > /number\n"
    image = service.call("POST", "/api/1/images", {
        "repository": f"app{number}", "definition": {"source": {"containerfile": text}, "platforms": [PLATFORM]},
    })
    if image.status != 200:
        raise RuntimeError(f"the image was not added: {image.body[:300]}")
    build = service.call("POST", f"/api/1/images/{image.json['id']}/builds", {})
    if build.status != 200:
        raise RuntimeError(f"the build was not asked for: {build.body[:300]}")
    return build.json["id"]
