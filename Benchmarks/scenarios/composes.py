"""Composes on a worker that is warm, against what people do by hand and against the floor."""
import glob
import time

from rows import Row, faster, no_longer, within
from service import of_repository
from timing import by_turns, median
from world import TESTS_REPO

# What upstream takes for the same example, measured on the machine on which this project began: it needs a Pungi of its own.
UPSTREAM_EXAMPLE = "upstream takes 10.2 s"


def example(world):
    """`make run`'s compose, asked for while the worker is idle."""
    with world.service("example") as service:
        body = of_repository(TESTS_REPO, ["ed"])
        service.compose(body)
        samples = []
        for _ in range(20):
            time.sleep(0.1)
            samples.append(service.compose(body)[0])
        yield no_longer("example", "the example of `make run`: POST to done", samples, 0.1, rival=UPSTREAM_EXAMPLE)
    world.remove(service)


def requested(world):
    """1, 10 and 100 requested packages out of all; a quick run leaves the 100 out.

    The smallest compose of the same service is that of a repository with a few packages. It shows how long a compose takes besides its
    packages.
    """
    repository = world.repository()
    world.tools.warm(repository)
    smallest = of_repository(TESTS_REPO, ["ed"])
    with world.service("requested") as service:
        service.compose(smallest)
        for count, at_least in ((1, 6), (10, 6), (100, 8))[: 2 if world.quick else 3]:
            packages = world.requests(repository, count)
            body = of_repository(repository, packages)
            compose = service.compose(body)[1]
            made = service.repository(compose)
            in_all = world.floor.take(made, repository)
            samples = by_turns(
                world.runs,
                ours=lambda: service.compose(body)[0],
                rival=lambda: world.tools.download(repository, packages),
                floor=world.floor.measure,
                libdeflate=world.floor.measure_libdeflate,
                smallest=lambda: service.compose(smallest)[0],
            )
            installed = equal(world, packages, made, world.tools.downloaded)
            work = f"{count} requested of {len(world.names(repository)):,} packages ({in_all:,} in all)"
            yield faster(
                f"requested-{count}", work, "`dnf download --resolve`, warm cache, and `createrepo_c`", samples["ours"], samples["rival"],
                at_least, packages=in_all, rivals_packages=len(glob.glob(f"{world.tools.downloaded}/*.rpm")), installed=installed,
            )  # fmt: skip
            yield within(
                f"floor-{count}", work, "the floor: links and compression", samples["ours"], samples["floor"], 2.5, packages=in_all,
                libdeflate_s=samples["libdeflate"],
                libdeflate=f"{median(samples['ours']) / median(samples['libdeflate']):.2f} times the floor with the library that we compress with",
            )  # fmt: skip
            if count < 100:
                yield against_smallest(count, work, samples["ours"], samples["smallest"], samples["floor"])
    world.remove(service)


def against_smallest(count, work, ours, smallest, floor):
    """The limit of the service: the smallest compose against ours, and against the floor. No bar."""
    ratio = median(ours) / median(smallest)
    shown = (
        f"{ratio:.2f} times ({median(ours) * 1000:.1f} ms : {median(smallest) * 1000:.1f} ms); "
        f"the smallest compose itself takes {median(smallest) / median(floor):.2f} times the floor"
    )
    return Row(
        f"smallest-{count}", work, "the smallest compose of the same service", "", ratio, shown, True, {"ours_s": ours, "rival_s": smallest},
    )  # fmt: skip


def everything(world):
    """All packages."""
    repository = world.repository()
    packages = world.requests(repository, 10)
    with world.service("everything") as service:
        body = of_repository(repository)
        made = service.repository(service.compose(body)[1])
        in_all = world.floor.take(made, repository)
        samples = by_turns(
            world.runs,
            ours=lambda: service.compose(body)[0],
            rival=lambda: world.tools.copy(repository),
            floor=world.floor.measure,
        )
        installed = equal(world, packages, made, world.tools.copied)
        yield faster(
            "everything", f"all {in_all:,}", "`cp -al` and the newest `createrepo_c`", samples["ours"], samples["rival"], 4,
            packages=in_all, installed=installed, floor_s=samples["floor"],
            floor=f"{median(samples['ours']) / median(samples['floor']):.2f} times the floor",
        )  # fmt: skip
    world.remove(service)


def first(world):
    """The first compose of a server that never saw the repository, and the first one after that server was started again."""
    repository = world.repository()
    packages = world.requests(repository, 10)
    body = of_repository(repository, packages)
    database = None
    solving, whole = [], []

    def unseen():
        nonlocal database
        database = world.database()[1]
        with world.service("first", database=database) as service:
            took, compose = service.compose(body)
            world.floor.take(service.repository(compose), repository)
            return took

    def again():
        with world.service("first", database=database, settings={"log": {"level": "debug"}}, keep=True) as service:
            begin = time.perf_counter()
            compose = service.submit(body)
            solving.append(service.frontend.when_said("pool loaded", since=begin) - begin)
            service.wait(compose)
            return time.perf_counter() - begin

    unseen()
    samples = by_turns(world.runs, ours=unseen, solv=lambda: world.tools.solv(repository), floor=world.floor.measure, again=again)
    base = [sum(pair) for pair in zip(samples["solv"], samples["floor"])]
    yield within(
        "first", f"first compose of a server that never saw the repository: {len(packages)} of {len(world.names(repository)):,}",
        "`repo2solv` and the floor", samples["ours"], base, 0.85, repo2solv_s=samples["solv"], floor_s=samples["floor"],
    )  # fmt: skip
    yield no_longer("restart", "… after a restart: POST to the solver's start", solving, 0.25, done_s=samples["again"])


def equal(world, packages, *repositories):
    """Checks that the same of the requested packages install from each repository, and says how many."""
    ours, theirs = (world.tools.installs(repository, packages) for repository in repositories)
    if ours != theirs:
        raise RuntimeError(f"not the same packages install: only from ours {sorted(ours - theirs)}, only from theirs {sorted(theirs - ours)}")
    return f"{len(ours)} of {len(packages)} requested packages install from both; the others conflict with these"
