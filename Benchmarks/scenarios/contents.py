"""Which packages are in an image: read from its layers in the registry, without pulling it."""
import time

from images import layers
from images.imageworld import ImageWorld
from images.inflation import Inflation
from rows import Row, no_more, within
from timing import by_turns, median, seconds


def contents(world):
    """The packages of an image: of a small upper layer, and of the layer of a whole system."""
    with ImageWorld(world, "contents") as images:
        system, whole = images.system(), images.system_with_rpmdb()
        upper, count = images.rpmdb()
        names = {"upper": "rivals/upper", "whole": "rivals/whole"}
        images.registry.push(names["upper"], [system, upper])
        digest = images.registry.push(names["whole"], [whole])
        tools = images.builders("tools")
        podman = tools.storage("podman")
        tools.run(*podman, "pull", "--quiet", f"{images.registry.host}/{names['upper']}")
        inflation = Inflation(images.file("inflate"), whole)
        with images.service(workers=1, images={"contents_seconds": 1}) as service:
            service.wait_for_node()
            reader = Reader(images, service, count)
            # The layers of the system are known, as those of an operating system are after the first image.
            reader.read([system, images.another(upper)])
            samples = by_turns(
                world.runs,
                upper=lambda: reader.read([system, images.another(upper)]),
                whole=lambda: reader.read([images.another(whole)]),
                podman=lambda: seconds(tools.run, *podman, "run", "--rm", "--network", "none", f"{images.registry.host}/{names['upper']}", "rpm", "-qa"),
                skopeo=lambda: copy(tools, f"{images.registry.host}/{names['whole']}@{digest}"),
                inflation=inflation.measure,
            )  # fmt: skip
        tools.remove()
    yield within(
        "contents-upper", f"{count} packages of an image, in a small upper layer", "`podman run rpm -qa`, image already pulled",
        samples["upper"], samples["podman"], 0.15,
    )  # fmt: skip
    yield within(
        "contents-whole", f"the same in a base layer of {whole.size / 1e6:.0f} MB", "`skopeo copy dir:`, which reads no packages",
        samples["whole"], samples["skopeo"], 0.75,
    )  # fmt: skip
    # The limit of the row before. It has no bar.
    ratio = median(samples["whole"]) / median(samples["inflation"])
    least = median(samples["inflation"]) / median(samples["skopeo"])
    yield Row(
        "contents-inflation", "… the same", "its decompression alone, on one core", "",
        ratio, f"{ratio:.2f} times; the decompression alone takes {least:.2f} times as long as `skopeo copy`", True,
        {"ours_s": samples["whole"], "rival_s": samples["inflation"]},
    )  # fmt: skip


class Reader:
    """A service that watches one image. Others push it."""

    def __init__(self, images, service, count):
        self._images = images
        self._worker = service.workers[0]
        self._count = count
        service.add("bench/watched", "FROM scratch\n")

    def read(self, made, packages=True):
        """Pushes an image, and returns the seconds from the moment when the worker sees it until it knows its packages."""
        begin = time.perf_counter()
        self._images.registry.push("bench/watched", made)
        seen = self._worker.when_said("an image is another one than before", since=begin, patience=300)
        wanted = f"packages={self._count}" if packages else "an image has no rpmdb"
        return self._worker.when_said(wanted, since=seen, patience=300) - seen


def copy(tools, image):
    target = f"{tools.directory}/copied-image"
    took = seconds(tools.run, "skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{image}", f"dir:{target}")
    tools.run("rm", "-rf", target)
    return took


def layer(world):
    """The worker's memory while it reads a layer of 1 GiB."""
    size = (128 << 20) if world.quick else (1 << 30)
    with ImageWorld(world, "layer") as images:
        made = layers.many_bytes(images.file("many.tar.gz"), size)
        with images.service(workers=1, images={"contents_seconds": 1}) as service:
            (worker,) = service.workers
            service.wait_for_node()
            reader = Reader(images, service, 0)
            time.sleep(2)
            idle = worker.memory()
            worker.forget_peak()
            took = reader.read([made], packages=False)
            peak = worker.memory()
    yield no_more(
        "contents-memory", f"worker's memory while it reads a layer of {size >> 20:,} MiB, above idle", peak["VmHWM"] - idle["VmRSS"], 64, "MiB",
        idle_mib=idle, peak_mib=peak, seconds=took,
    )  # fmt: skip
