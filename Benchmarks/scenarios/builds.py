"""Image builds through the service, against buildah and podman as a person runs them."""
import os
import signal
import time

from images.imageworld import ImageWorld
from rows import no_longer, within
from service import of_repository
from timing import by_turns, seconds
from world import TESTS_REPO

# A chain of images, each based on the one before. The last one has no packages of its own.
CHAIN = {"base": "RUN dnf -y install libed", "app": "RUN dnf -y install ed-words", "web": "RUN echo web > /etc/web"}


def chain(world):
    """Three images on top of each other, rebuilt after an advisory."""
    with ImageWorld(world, "chain") as images:
        images.registry.push("bench/system", [images.system()])
        bare = images.builders("bare")
        with images.service(images={"slots": 2}) as service:
            service.wait_for_node()
            # The first compose has an old libed, and the second one has the fix.
            old, new = (service.compose(of_repository(TESTS_REPO, names))[1] for names in (["ed-classic", "ed-words"], ["libed", "ed-words"]))
            parents = dict(zip(CHAIN, ["bench/system", "bench/base", "bench/app"]))
            added = [service.add(f"bench/{name}", f"FROM {images.registry.host}/{parents[name]}\n{text}\n") for name, text in CHAIN.items()]
            overhead = []

            def ours():
                for image in added:
                    service.build(image, [old["id"]])
                begin = time.perf_counter()
                rebuild = service.ended("rebuilds", service.call("POST", "/api/1/rebuilds/", {"compose": new["id"], "advisory": "BENCH-1"})["id"])
                took = time.perf_counter() - begin
                rows = [row for row in rebuild["plan"] if row["decision"] == "build"]
                if len(rows) != len(CHAIN):
                    raise RuntimeError(f"the rebuild has {len(rows)} images: {rebuild}")
                tools = sum(service.tools_time(row["build"]) for row in rows)
                # A build has two steps: the platform and the manifest list.
                overhead.append((took - tools) / (2 * len(rows)))
                return took

            rival = BareChain(bare, service, new)
            samples = by_turns(world.runs, ours=ours, bare=rival.build)
        bare.remove()
    yield within(
        "image-chain", f"rebuild of {len(CHAIN)} images on top of each other: POST to done", "`buildah build` and `buildah push`, three times",
        samples["ours"], samples["bare"], 1.15,
    )  # fmt: skip
    yield no_longer("image-step", "… a step without the time of buildah", overhead, 0.15)


class BareChain:
    """The same builds without a server. The packages come from the same compose, without a network."""

    def __init__(self, bare, service, compose):
        files = f"{service.directory}/state/composes/odcs-{compose['id']}/compose/Temporary"
        repositories = f"{bare.directory}/repositories"
        os.makedirs(repositories)
        with open(f"{files}/odcs-{compose['id']}.repo") as stream:
            text = stream.read()
        with open(f"{repositories}/compose.repo", "w") as stream:
            for line in text.splitlines():
                if line.startswith("baseurl="):
                    line = f"baseurl=file:///run/compose/{line.split('/compose/Temporary/')[1]}"
                stream.write(f"{line}\n")
        self._bare = bare
        self._volumes = {"/etc/yum.repos.d": repositories, "/run/compose": files}
        parents = dict(zip(CHAIN, ["bench/system", "bare/base", "bare/app"]))
        self._contexts = {name: bare.context(name, f"FROM {bare.registry}/{parents[name]}\n{text}\n") for name, text in CHAIN.items()}

    def build(self):
        return seconds(self._build)

    def _build(self):
        for name, context in self._contexts.items():
            self._bare.build_and_push(f"{self._bare.registry}/bare/{name}", context, self._volumes)


def eight(world):
    """Eight small images, two at a time."""
    count = 4 if world.quick else 8
    with ImageWorld(world, "eight") as images:
        images.registry.push("bench/system", [images.system()])
        podman = images.builders("podman")
        text = f"FROM {images.registry.host}/bench/system\nRUN echo {{}} > /etc/number\n"
        podman.makefile({f"number-{number}": podman.context(f"number-{number}", text.format(number)) for number in range(count)})
        with images.service(images={"slots": 2}) as service:
            service.wait_for_node()
            added = [service.add(f"bench/number-{number}", text.format(number)) for number in range(count)]

            def ours():
                begin = time.perf_counter()
                builds = [service.ask(image)["id"] for image in added]
                for build in builds:
                    service.ended("builds", build)
                return time.perf_counter() - begin

            # Both sides fetch the base image once.
            service.build(added[0])
            podman.make(2)
            samples = by_turns(world.runs, ours=ours, make=lambda: seconds(podman.make, 2))
        podman.remove()
    yield within(
        "image-eight", f"{count} small images, two at a time: POST to done", "`make -j2` with `podman build` and `podman push`",
        samples["ours"], samples["make"], 1.1,
    )  # fmt: skip


def killed(world):
    """A worker that is killed while a RUN instruction runs."""
    with ImageWorld(world, "killed") as images:
        images.registry.push("bench/system", [images.system()])
        taken = []
        text = f"FROM {images.registry.host}/bench/system\nRUN sleep 1000\n"
        for number in range(world.runs):
            with images.service(f"killed-{number}", workers=1) as service:
                (worker,) = service.workers
                service.wait_for_node()
                service.ask(service.add(f"bench/sleeps-{number}", text))
                processes = wait_for_sleep(worker.process.pid)
                begin = time.perf_counter()
                worker.process.send_signal(signal.SIGKILL)
                while alive(processes):
                    if time.perf_counter() - begin > 20:
                        raise RuntimeError(f"processes of a build outlive their worker by 20 s: {alive(processes)}")
                    time.sleep(0.002)
                taken.append(time.perf_counter() - begin)
    yield no_longer("image-killed", "worker killed while a RUN instruction runs: until no process of the build is left", taken, 2, share=1)


def wait_for_sleep(worker):
    """Waits until the RUN instruction runs, and returns all processes below the worker, with their start times."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        processes = below(worker)
        if any(command.startswith("sleep 1000") for command in processes.values()):
            return {pid: started(pid) for pid in processes}
        time.sleep(0.05)
    raise TimeoutError("the RUN instruction did not begin")


def below(process):
    """Returns the commands of all processes below a process, by their numbers."""
    children, commands = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                children.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(int(name))
                commands[int(name)] = line.read().replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, rest = {}, [process]
    while rest:
        for child in children.get(rest.pop(), []):
            found[child] = commands.get(child, "")
            rest.append(child)
    return found


def started(process):
    """Returns the start time of a process, or None if it has ended. A zombie has ended."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def alive(processes):
    return [pid for pid, start in processes.items() if start is not None and started(pid) == start]
