"""A large tag of Koji."""
import xmlrpc.client

from hub import TAG, Hub
from rows import faster, no_more
from timing import by_turns, seconds


def tag(world):
    """From the hub's answer to the set of packages, against Python's own parser on the same bytes."""
    repository = world.repository()
    topdir = f"{world.directory}/repositories/topdir-{'quick' if world.quick else 'full'}"
    hub = Hub(repository, topdir, 3000 if world.quick else 50_000)
    request = {
        "source": {"type": "tag", "source": TAG, "packages": world.requests(repository, 1)},
        "flags": ["no_reuse", "no_deps"],
    }
    try:
        with world.service("tag", workers=1, settings={"koji": {"hub": hub.url, "topdir": topdir}}) as service:
            (worker,) = service.workers
            # Reads the headers of all packages, once for ever.
            first = service.phase("fetch", request)
            worker.forget_peak()
            before = worker.memory()["VmRSS"]
            samples = by_turns(
                world.runs,
                ours=lambda: service.phase("fetch", request),
                rival=lambda: seconds(xmlrpc.client.loads, hub.listing),
            )
            peak = worker.memory()["VmHWM"]
        world.remove(service)
    finally:
        hub.close()
    work = f"a tag of {hub.count:,} packages: hub's answer to package set"
    size = len(hub.listing) / 2**20
    yield faster("tag", work, f"Python's xmlrpc parse of the same {size:.0f} MiB", samples["ours"], samples["rival"], 8, first_s=first)
    yield no_more("tag-memory", "… the worker's peak meanwhile", peak, 600, "MiB", answer_mib=size, before_mib=before)
