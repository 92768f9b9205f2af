"""Composes from a repository that has changed since the last compose."""
import os

from changing import Changing
from comparison import Comparison
from rows import Row, faster, no_more, within
from scenarios.composes import equal
from service import of_repository
from timing import by_turns, median

REVISIONS = 20


def changed(world):
    """Ten and 1% of the packages changed, twenty revisions, and the time by the number of changed packages."""
    repository = world.repository()
    packages = world.requests(repository, 10)
    with world.service("changed") as service:
        made = service.repository(service.compose(of_repository(repository, packages))[1])
        # dnf and the service do not choose the same of several providers.
        world.tools.warm(repository)
        world.tools.download(repository, packages)
        changing = Changing(world, repository, _names(made) | _names(world.tools.downloaded))
        try:
            yield from few(world, service, changing, packages)
            yield from many(world, service, changing, packages)
        finally:
            world.remove(service)
    try:
        yield from revisions(world, changing, packages)
        shares(world, changing, packages)
    finally:
        changing.remove()


def few(world, service, changing, packages):
    body = of_repository(changing.path, packages)
    prepared = iter([changing.prepare(10) for _ in range(world.runs + 1)])
    world.tools.warm(changing.path)
    service.compose(body)
    # The first change after the start also makes what later ones find.
    changing.show(next(prepared))
    made = service.repository(service.compose(body)[1])
    comparison = Comparison(world.fresh("comparison"))
    samples = _by_turns_of_revisions(
        world, service, changing, body, prepared, dnf=lambda: world.tools.refresh(changing.path, packages),
        least=lambda: comparison.measure(changing.path),
    )  # fmt: skip
    installed = equal(world, packages, made, world.tools.downloaded)
    work = f"10 of {changing.count:,} packages changed: compose of {len(packages)}"
    yield faster(
        "changed-10", work, "`dnf makecache` and `download --resolve` after the same change", samples["ours"], samples["dnf"], 40,
        installed=installed,
    )  # fmt: skip
    yield within("changed-10-solv", work, "`repo2solv` of the changed metadata", samples["ours"], samples["solv"], 0.1)
    yield within("changed-10-unchanged", work, "the same, nothing changed", samples["ours"], samples["unchanged"], 6)
    yield against_least(work, samples["ours"], samples["least"], samples["unchanged"])


def against_least(work, ours, least, unchanged):
    """The limit of the service: the time that the documents take at least, and a compose without changes. No bar."""
    ratio = median(ours) / (median(least) + median(unchanged))
    shown = f"{ratio:.2f} times ({median(ours) * 1000:.0f} ms : {median(least) * 1000:.0f} + {median(unchanged) * 1000:.0f} ms)"
    return Row(
        "changed-10-least", work, "its documents read, checked and compared in C, and the same with nothing changed", "", ratio, shown, True,
        {"ours_s": ours, "rival_s": least},
    )  # fmt: skip


def many(world, service, changing, packages):
    count = changing.count // 100
    prepared = iter([changing.prepare(count) for _ in range(world.runs)])
    samples = _by_turns_of_revisions(world, service, changing, of_repository(changing.path, packages), prepared)
    yield within(
        "changed-1%", f"1% of {changing.count:,} packages changed: compose of {len(packages)}", "`repo2solv` of the changed metadata",
        samples["ours"], samples["solv"], 0.13, unchanged_s=samples["unchanged"],
    )  # fmt: skip


def _by_turns_of_revisions(world, service, changing, body, prepared, **rivals):
    """Measures after each change a compose, repo2solv, `rivals`, and the compose of the unchanged repository."""
    unchanged = []
    remaining = 0

    def after_change(action):
        def measured():
            nonlocal remaining
            if remaining == 0:
                changing.show(next(prepared))
                remaining = 2 + len(rivals)
            remaining -= 1
            return action()

        return measured

    def ours():
        took = service.compose(body)[0]
        unchanged.append(service.compose(body)[0])
        return took

    actions = {"ours": ours, "solv": lambda: world.tools.solv(changing.path), **rivals}
    samples = by_turns(world.runs, **{name: after_change(action) for name, action in actions.items()})
    return {**samples, "unchanged": unchanged}


def revisions(world, changing, packages):
    """What twenty revisions leave in memory and on disk, each with 1% changed since the last one."""
    body = of_repository(changing.path, packages)
    memory, disk, took = [], [], []
    prepared = [changing.prepare(changing.count // 100) for _ in range(REVISIONS)]
    with world.service("revisions", workers=1) as service:
        (worker,) = service.workers
        for number in prepared:
            changing.show(number)
            took.append(service.compose(body)[0])
            memory.append(worker.memory())
            disk.append(_blocks(f"{service.directory}/state/cache"))
    world.remove(service)
    resident, anonymous = ([each[kind] for each in memory] for kind in ("VmRSS", "RssAnon"))
    details = {"anonymous_mib": anonymous, "resident_mib": resident, "disk_mib": disk, "compose_s": took}
    yield no_more(
        "changed-memory", f"{REVISIONS} revisions of 1%: the worker's memory against that after the second", resident[-1] / resident[1],
        1.3, "times", **details,
    )  # fmt: skip
    ratio = anonymous[-1] / anonymous[1]
    shown = f"{ratio:.2f} times ({anonymous[1]:.0f}, then {min(anonymous[2:]):.0f} to {max(anonymous[2:]):.0f} MiB)"
    yield Row("changed-memory-own", "… without the mapped documents of the base", "", "", ratio, shown, True, {}, details)
    yield no_more("changed-disk", "… the cache on disk against that of one revision", disk[-1] / disk[0], 2, "times", **details)


def shares(world, changing, packages):
    """The time of a compose by the number of packages that changed. There is no bar."""
    body = of_repository(changing.path, packages)
    parts = (0.01, 0.1) if world.quick else (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
    counts = sorted({1, 10, 100, *(round(changing.count * part) for part in parts)})
    series = world.growth["changed"] = {"x": [], "unit": "changed packages", "seconds": {"compose of 10": [], "repo2solv": []}}
    first = changing.prepare(0, original=True)
    for count in counts:
        number = changing.prepare(count, original=True)
        composes, solv = [], []
        for _ in range(1 if world.quick else 3):
            with world.service("shares") as service:
                changing.show(first)
                service.compose(body)
                changing.show(number)
                composes.append(service.compose(body)[0])
                solv.append(world.tools.solv(changing.path))
            world.remove(service)
        series["x"].append(count)
        series["seconds"]["compose of 10"].append(median(composes))
        series["seconds"]["repo2solv"].append(median(solv))


def _names(made):
    """Returns the names of the packages in a directory."""
    return {file.rsplit("-", 2)[0] for _, _, files in os.walk(made) for file in files if file.endswith(".rpm")}


def _blocks(directory):
    """Returns the MiB on disk below `directory`. A file with several names counts once."""
    sizes = {}
    for place, _, files in os.walk(directory):
        for file in files:
            status = os.stat(f"{place}/{file}")
            sizes[status.st_ino] = status.st_blocks * 512
    return sum(sizes.values()) / 2**20
