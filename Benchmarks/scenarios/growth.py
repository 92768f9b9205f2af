"""How cost grows when what there is to do doubles."""
import math

import load
from rows import no_more
from scenarios.queue import finished
from service import of_repository
from timing import median
from world import TESTS_REPO

# How much more than n log n a doubling may cost before it counts as growing faster: what is measured is not that exact.
TOLERANCE = 1.25


def growth(world):
    """Doubled packages, requests, frontends and workers; doubled composes stored are measured with what is stored."""
    yield packages(world)
    yield requests(world)
    # No bar is about these.
    if not world.quick:
        workers(world)
        frontends(world)
    if "stored" in world.growth:
        stored = world.growth["stored"]
        yield steepest("growth-stored", "doubled composes stored", stored["x"], stored["seconds"])


def packages(world):
    all_names = len(world.names(world.repository()))
    counts = [round(all_names / 2**halvings) for halvings in ((1,) if world.quick else (4, 3, 2, 1))]
    series = world.growth["packages"] = {"x": [], "unit": "packages", "seconds": {"all of them": [], "first compose of 10": []}}
    for count in [*counts, world.packages]:
        repository = world.repository(count)
        body = of_repository(repository)
        ten = of_repository(repository, world.requests(repository, 10))
        with world.service("growth") as service:
            series["x"].append(len(world.names(repository)))
            series["seconds"]["first compose of 10"].append(service.compose(ten)[0])
            service.compose(body)
            series["seconds"]["all of them"].append(median([service.compose(body)[0] for _ in range(world.runs)]))
        world.remove(service)
    return steepest("growth-packages", "doubled packages of the repository", series["x"], series["seconds"])


def requests(world):
    repository = world.repository()
    series = world.growth["requests"] = {"x": [], "unit": "requested packages", "packages": [], "seconds": {"compose": []}}
    with world.service("growth") as service:
        count = 1
        while count <= (4 if world.quick else 256):
            body = of_repository(repository, world.requests(repository, count))
            _, compose = service.compose(body)
            series["x"].append(count)
            series["packages"].append(world.floor.take(service.repository(compose), repository))
            series["seconds"]["compose"].append(median([service.compose(body)[0] for _ in range(world.runs)]))
            count *= 2
    world.remove(service)
    return steepest("growth-requests", "doubled requests, by the packages that come of them", series["packages"], series["seconds"])


def steepest(key, work, sizes, series):
    """The steepest growth from one size to the next, in relation to that of n log n."""
    steps = {}
    for name, costs in series.items():
        for before, after, cost, more in zip(sizes, sizes[1:], costs, costs[1:]):
            if after < 1.5 * before:
                continue
            allowed = after * math.log(after) / (before * math.log(max(2, before)))
            steps[f"{name}, {before:,} to {after:,}"] = more / cost / allowed
    worst = max(steps, key=steps.get)
    row = no_more(key, f"cost of {work}: steepest step, n log n being 1", steps[worst], TOLERANCE, "", details=steps)
    row.shown = f"{row.value:.2f} ({worst})"
    row.details = steps
    return row


def workers(world):
    repository = world.repository()
    count = 100
    names = world.requests(repository, 300)
    bodies = [of_repository(repository, names[at : at + 10], flags=["no_deps"]) for at in range(0, len(names), 10)]
    series = world.growth["workers"] = {"x": [], "unit": "worker processes", "rates": {"composes of 10 packages a second": []}}
    for number in (1, 2, 4):
        row = finished(world, "workers", "", (bodies * count)[:count], workers=number)
        series["x"].append(number)
        series["rates"]["composes of 10 packages a second"].append(row.value)


def frontends(world):
    """Several on one database, each asked by a load of its own."""
    series = world.growth["frontends"] = {"x": [], "unit": "frontend processes", "rates": {"GET one a second": [], "POST a second": []}}
    seconds = 4
    body = of_repository(TESTS_REPO, ["ed"])
    for number in (1, 2, 4):
        name, address = world.database()
        services = [world.service(f"frontend-{each}", workers=0, database=address) for each in range(number)]
        try:
            services[0].submit(body)
            for key, method, path in (("GET one a second", "GET", "/api/1/composes/1"), ("POST a second", "POST", "/api/1/composes/")):
                rates = []
                for _ in range(world.runs):
                    options = {"method": method, "body": body if method == "POST" else None, "connections": 16 // number}
                    running = [load.start(service.url + path, seconds, **options) for service in services]
                    rates.append(sum(load.finish(process)["rate"] for process in running))
                series["rates"][key].append(median(rates))
            series["x"].append(number)
        finally:
            for service in services:
                service.__exit__()
        for service in services:
            world.remove(service)
        world.cluster.drop(name)
