"""The queue: how soon a compose is claimed, and how many a second get done."""
import time

from rows import Row, no_longer
from service import ComposeFailed, of_repository
from world import TESTS_REPO


def claiming(world):
    """From submitted to claimed by a worker that is idle, by the database's own clock."""
    count = 20 if world.quick else 200
    name, address = world.database()
    with world.service("claiming", database=address) as service:
        body = of_repository(TESTS_REPO, ["ed"])
        for _ in range(count):
            service.compose(body)
            time.sleep(0.02)
        taken = world.cluster.numbers(name, "SELECT extract(epoch FROM time_started - time_submitted) FROM odcs.composes ORDER BY id")
        yield no_longer("claimed", "submitted to claimed, worker idle", taken, 0.005)
        yield no_longer("claimed-p99", "the same", taken, 0.025, share=0.99)
    world.remove(service)


def queue(world):
    """200 composes of 10 packages at once, on two workers; and what each of them costs the database."""
    count = 40 if world.quick else 200
    repository = world.repository()
    names = world.requests(repository, 10 * count if not world.quick else 400)
    requests = [of_repository(repository, names[at : at + 10], flags=["no_deps"]) for at in range(0, len(names), 10)][:count]
    yield finished(world, "queue", f"{count} composes of 10 packages queued at once, 2 workers", requests, workers=2)
    with_dependencies = of_repository(repository, world.requests(repository, 10))
    row = finished(world, "queue-resolved", "the same with all that the 10 need, as often", [with_dependencies] * count, workers=2)
    row.bar, row.met = "", True
    yield row


def finished(world, key, work, requests, workers):
    """Queues the requests on workers that are warm, waits for all."""
    name, address = world.database()
    with world.service("queue", workers=workers, database=address) as service:
        warm = [service.submit(requests[0]) for _ in range(4 * workers)]
        for compose in warm:
            service.wait(compose)
        begin = time.perf_counter()
        for body in requests:
            service.submit(body)
        submitted = time.perf_counter() - begin
        memory = []
        total = len(warm) + len(requests)
        while (done := ended(service)) < total:
            memory.append(((done - len(warm)) / len(requests), sum(worker.memory()["VmRSS"] for worker in service.workers)))
            time.sleep(0.05)
        memory.append((1, sum(worker.memory()["VmRSS"] for worker in service.workers)))
        times = (
            "SELECT extract(epoch FROM max(time_done) - min(time_submitted)), count(*) FILTER (WHERE state <> 2) FROM odcs.composes "
            f"WHERE id > {max(compose['id'] for compose in warm)}"
        )
        took, failed = map(float, world.cluster.query(name, times)[0])
        if key == "queue":
            world.facts["cost"] = cost(world, name, total)
    world.remove(service)
    if failed:
        raise ComposeFailed(f"{failed:.0f} of {len(requests)} composes failed")
    rate = len(requests) / took
    quarter = next(size for share, size in memory if share >= 0.25)
    grown = memory[-1][1] / quarter
    shown = f"{rate:.1f} a second; memory of all workers {grown:.2f} times that after the first quarter ({memory[-1][1]:.0f} MiB)"
    return Row(
        key, work, "", "at least 10 a second, no failure, memory within 1.2 times", rate, shown, rate >= 10 and grown <= 1.2,
        {"memory_mib": [round(size, 1) for _, size in memory]}, {"submitting_s": submitted, "seconds": took},
    )  # fmt: skip


def cost(world, database, composes):
    """Bytes a compose in each table that grows with them, indexes included, and how many rows."""
    found = {}
    for table in ("composes", "attempts", "events", "results"):
        size, rows = world.cluster.query(
            database, f"SELECT pg_total_relation_size('odcs.{table}'), (SELECT count(*) FROM odcs.{table})"
        )[0]
        found[table] = {"bytes": int(size) / composes, "rows": int(rows) / composes}
    return found


def ended(service):
    return sum(service.call("GET", f"/api/1/composes/?state={state}&per_page=1")["meta"]["total"] for state in (2, 4))
