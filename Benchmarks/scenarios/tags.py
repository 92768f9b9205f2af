"""A large tag of Koji."""
import time
import xmlrpc.client
from functools import partial

from hub import TAG, ChangingHub, Hub, content
from rows import faster, no_more, within
from timing import by_turns, seconds


def tag(world):
    """From the hub's answer to the set of packages, against Python's own parser on the same bytes."""
    repository = world.repository()
    topdir = _topdir(world)
    rows = content(repository, topdir, 3000 if world.quick else 50_000)
    hub = Hub(rows)
    request = _request(rows)
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


def tag_changed(world):
    """One build of a tag was tagged or untagged, for a hub that tells what changed and for one that does not."""
    repository = world.repository()
    topdir = _topdir(world)
    rows = content(repository, topdir, 3000 if world.quick else 27_000)
    hubs = {name: ChangingHub(rows, name == "ours") for name in ("ours", "whole")}
    request = _request(rows)
    composes = {name: [] for name in hubs}

    def service(name):
        settings = {"koji": {"hub": hubs[name].url, "topdir": topdir}, "log": {"level": "debug"}}
        return world.service(f"tag-{name}", workers=1, settings=settings)

    def listing(service, name):
        """Returns the seconds from the first call of the hub for a listing until the worker has the packages."""
        hub = hubs[name]
        hub.change()
        begin = time.perf_counter()
        composes[name].append(service.compose(request)[0])
        return service.workers[0].when_said("tag listed", since=begin) - hub.asked

    try:
        with service("ours") as ours, service("whole") as whole:
            services = {"ours": ours, "whole": whole}
            for name, each in services.items():
                # The first compose reads all headers. The next two make the metadata of both states of the tag.
                for _ in range(3):
                    listing(each, name)
                composes[name].clear()
            samples = by_turns(world.runs, **{name: partial(listing, each, name) for name, each in services.items()})
        for each in services.values():
            world.remove(each)
    finally:
        for hub in hubs.values():
            hub.close()
    yield within(
        "tag-changed", f"one build of a tag of {len(rows[0]):,} packages changed: first call of the hub to list of packages",
        "the same from a hub that lists the whole tag", samples["ours"], samples["whole"], 0.1,
        compose_s=composes["ours"], compose_whole_s=composes["whole"],
    )  # fmt: skip


def _topdir(world):
    return f"{world.directory}/repositories/topdir-{'quick' if world.quick else 'full'}"


def _request(rows):
    """Asks for the first package of the tag. The last build comes and goes."""
    return {
        "source": {"type": "tag", "source": TAG, "packages": [rows[0][0]["name"]]},
        "flags": ["no_reuse", "no_deps"],
    }
