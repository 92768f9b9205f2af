"""Images for two platforms on the nodes of a farm, against buildah and skopeo as a person runs them."""
import contextlib
import os
import signal
import subprocess
import time
import urllib.error

from images.builders import as_account
from images.imageworld import ImageWorld
from rows import no_longer, within
from timing import by_turns, seconds

PLATFORMS = ["linux/amd64", "linux/arm64"]
# The default of worker.lease_seconds.
LEASE = 15


def farm(world):
    """Builds on a farm of two podman services: two platforms with the manifest list, a lost node, and the server's own work."""
    yield from platforms(world)
    yield from lost(world)
    yield from own_work(world)


def platforms(world):
    """Two platforms with the manifest list."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(emulator())
        except (OSError, subprocess.CalledProcessError) as error:
            world.say(f"skipped, because no emulator can be registered: {error}")
            return
        images = stack.enter_context(ImageWorld(world, "farm"))
        bare = images.builders("bare")
        # Programs of arm64 would measure the emulator, so nothing runs.
        context = bare.context("context", "FROM scratch\nCOPY Containerfile /etc/file\n")
        service = stack.enter_context(images.service(images={"slots": 1}))
        service.wait_for_node()
        for name in ("n1", "n2"):
            node = images.builders(name)
            stack.callback(node.remove)
            stack.enter_context(engine(node))
            service.call("POST", "/api/1/nodes", {"name": name, "connection": f"unix://{socket(node)}"})
            wait_for_node(service, name, PLATFORMS)
        service.call("POST", "/api/1/farms", {"name": "f", "nodes": ["n1", "n2"], "default": True})
        command = [
            f"{os.path.dirname(world.program)}/odcs", "farm", "build", "--quiet", "--platforms", ",".join(PLATFORMS), "--tag", f"{images.registry.host}/bench/two:1",
            "--to", "none", "--server", service.url, context,
        ]  # fmt: skip
        lists = []

        def ours():
            begin = time.perf_counter()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            took = time.perf_counter() - begin
            lists.append(list_time(service.workers[0], begin))
            # The nodes remove their images now. The rival must not wait for that.
            time.sleep(2)
            return took

        def rival():
            name = f"{images.registry.host}/bare/two:1"
            for platform in PLATFORMS:
                bare.run(*bare.storage("buildah"), *bare.BUILD, "--manifest", name, "--platform", platform, context)
            bare.run(*bare.storage("buildah"), "manifest", "push", "--all", "--rm", "--tls-verify=false", name, f"docker://{name}")

        def put():
            name = f"{images.registry.host}/bare/two"
            insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"]
            bare.run("skopeo", "copy", *insecure, "--multi-arch", "index-only", f"docker://{name}:1", f"docker://{name}:2")

        ours()
        rival()
        samples = by_turns(world.runs, ours=ours, rival=lambda: seconds(rival), put=lambda: seconds(put))
        bare.remove()
    yield within(
        "farm-platforms", "two platforms on a farm of two sockets: POST to done", "`buildah build --manifest` twice and `buildah manifest push`",
        samples["ours"], samples["rival"], 1.15,
    )  # fmt: skip
    yield within("farm-list", "… the manifest list and its tags, after the last push", "one PUT with `skopeo copy`", lists[-world.runs :], samples["put"], 2)


def list_time(worker, since):
    """Returns the seconds between the end of the last platform and the end of the manifest list, by the log."""
    *_, last, end = worker.moments("step is done", since)
    return end - last


def lost(world):
    """The node of a step is killed, and another node begins with the step."""
    with ImageWorld(world, "lost") as images, contextlib.ExitStack() as stack:
        images.registry.push("bench/system", [images.system()])

        def node(name):
            made = images.builders(name)
            stack.callback(made.remove)
            return made

        # The farm does all work: the worker has no node of its own.
        service = stack.enter_context(images.service(images={"slots": 0}))
        other = node("other")
        stack.enter_context(engine(other))
        service.call("POST", "/api/1/nodes", {"name": "other", "connection": f"unix://{socket(other)}", "weight": 10})
        wait_for_node(service, "other", PLATFORMS[:1])
        image = service.add("bench/sleeps", f"FROM {images.registry.host}/bench/system\nRUN echo asleep; sleep 5\n")
        taken = []
        for number in range(world.runs):
            # What a killed service leaves behind can hold up the next one, so each run has a storage of its own.
            name, victim = f"victim-{number}", node(f"victim-{number}")
            with engine(victim) as process:
                service.call("POST", "/api/1/nodes", {"name": name, "connection": f"unix://{socket(victim)}", "weight": 20})
                wait_for_node(service, name, PLATFORMS[:1])
                build = service.ask(image)["id"]
                when_logged(service, build, "\nasleep\n")
                begin = time.perf_counter()
                os.killpg(process.pid, signal.SIGKILL)
                when_logged(service, build, "is built on the node other.")
                taken.append(time.perf_counter() - begin)
                service.ended("builds", build)
                service.call("DELETE", f"/api/1/nodes/{name}")
    yield no_longer("farm-lost", "node killed during a RUN instruction: until the step runs on another node", taken, LEASE + 2, share=1)


def own_work(world):
    """The processor time of frontend and worker themselves, for a step of the smallest build."""
    count = 5 if world.quick else 20
    text = "FROM scratch\nLABEL number=1\n"
    with ImageWorld(world, "own") as images:
        bare = images.builders("bare")
        context = bare.context("context", text)
        with images.service(workers=1, images={"slots": 1}) as service:
            (worker,) = service.workers
            service.wait_for_node()
            image = service.add("bench/smallest", text)
            service.build(image)
            builds = []
            before = processor_time(service)
            for _ in range(count):
                begin = time.perf_counter()
                build = service.ask(image)["id"]
                # A question would be work for the client. A build has two steps: the platform and the list.
                while len(ends := worker.moments("step is done", begin)) < 2:
                    time.sleep(0.01)
                builds.append((build, ends[1] - begin))
            own = (processor_time(service) - before) / (2 * count)
            # Reading the logs is no work of a step.
            walls = [(took - service.tools_time(build)) / 2 for build, took in builds]
        smallest = [seconds(bare.run, *bare.storage("buildah"), *bare.BUILD, "--tag", "smallest", context) for _ in range(world.runs)]
        bare.remove()
    yield within(
        "farm-own-work", "own work of frontend and worker per step, as time of a processor", "`buildah build` of the smallest image", [own], smallest, 0.1,
        wall_s=walls,
    )  # fmt: skip


def processor_time(service):
    """Returns the seconds that the processes of a service have had a processor, without the programs that they started."""
    ticks = 0
    for process in service.processes:
        with open(f"/proc/{process.process.pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def when_logged(service, build, text, patience=60):
    """Waits until the log of a build has a text."""
    deadline = time.monotonic() + patience
    log = ""
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.HTTPError):
            log = service.log(build)
        if text in log:
            return
        time.sleep(0.02)
    raise TimeoutError(f"the log of build {build} has no {text!r}: {log[-500:]}")


def wait_for_node(service, name, platforms, patience=180):
    """Waits until a worker has tried the platforms of a node."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        node = service.call("GET", f"/api/1/nodes/{name}")
        if node["state"] == "ready" and not node["awaits_probe"]:
            if not set(node["native"] + node["emulated"]) >= set(platforms):
                raise RuntimeError(f"the node builds too few platforms: {node}")
            return
        time.sleep(0.1)
    raise TimeoutError(f"no worker has seen the node {name}: {node}")


def socket(node):
    return f"{node.directory}/run/engine.sock"


@contextlib.contextmanager
def engine(node):
    """Runs podman's service with the storage of a node. Yields its process."""
    command = [*as_account(), *node.storage("podman"), "system", "service", "--time=0", f"unix://{socket(node)}"]
    # podman starts itself again in a user namespace, so it gets a process group.
    process = subprocess.Popen(
        command, env=node.environment, cwd=f"{node.directory}/work", stdin=subprocess.DEVNULL, stdout=node.log, stderr=node.log,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not os.path.exists(socket(node)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"podman's service did not start; see {node.log.name}")
            time.sleep(0.05)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def emulator():
    """Registers qemu for programs of arm64, with the line of Debian's package qemu-user-static."""
    with open("/usr/lib/binfmt.d/qemu-aarch64.conf") as stream:
        line = stream.read().strip().split(":", 2)[2]
    name, place = f"odcs-bench-{os.getpid()}", f"/var/tmp/odcs-bench-binfmt-{os.getpid()}"
    os.makedirs(place)
    try:
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", place], check=True, capture_output=True)
        try:
            with open(f"{place}/register", "w") as stream:
                stream.write(f":{name}:{line}")
            try:
                yield
            finally:
                # The kernel keeps a registration after the mount is gone.
                with open(f"{place}/{name}", "w") as stream:
                    stream.write("-1")
        finally:
            subprocess.run(["umount", place], check=False)
    finally:
        os.rmdir(place)
