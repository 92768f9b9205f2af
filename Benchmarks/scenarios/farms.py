"""Images for two platforms on the nodes of a farm, against buildah and skopeo as a person runs them."""
import contextlib
import os
import signal
import subprocess
import time

from images.builders import as_account
from images.imageworld import ImageWorld
from rows import within
from timing import by_turns, seconds

PLATFORMS = ["linux/amd64", "linux/arm64"]


def farm(world):
    """Two platforms on a farm of two podman services, with the manifest list."""
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
            socket = stack.enter_context(engine(node))
            service.call("POST", "/api/1/nodes", {"name": name, "connection": f"unix://{socket}"})
            wait_for_node(service, name)
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


def wait_for_node(service, name, patience=60):
    """Waits until a worker has tried the platforms of a node."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        node = service.call("GET", f"/api/1/nodes/{name}")
        if node["state"] == "ready" and not node["awaits_probe"]:
            if set(node["native"] + node["emulated"]) < set(PLATFORMS):
                raise RuntimeError(f"the node builds too few platforms: {node}")
            return
        time.sleep(0.1)
    raise TimeoutError(f"no worker has seen the node {name}: {node}")


@contextlib.contextmanager
def engine(node):
    """Runs podman's service with the storage of a node. Yields its socket."""
    socket = f"{node.directory}/run/engine.sock"
    command = [*as_account(), *node.storage("podman"), "system", "service", "--time=0", f"unix://{socket}"]
    # podman starts itself again in a user namespace, so it gets a process group.
    process = subprocess.Popen(
        command, env=node.environment, cwd=f"{node.directory}/work", stdin=subprocess.DEVNULL, stdout=node.log, stderr=node.log,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not os.path.exists(socket):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"podman's service did not start; see {node.log.name}")
            time.sleep(0.05)
        yield socket
    finally:
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
