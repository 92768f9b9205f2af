"""A steady load for a long time. Nothing may grow with the time."""
import os
import time

from load import Load

# The most growth for each minute, after the first quarter of the time.
BOUNDS = {"MiB of memory": 2.0, "open files": 1.0}
# The most for each compose, and the most dead rows for each live one.
MOST_KILOBYTES = 40
MOST_DEAD = 3.0


def run(scenario):
    """Equal and different composes with short lives, about one a second."""
    minutes = scenario.options.minutes
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 2, "workers": 2})
    service = scenario.service(cluster.address(), **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, 1 << 30, scenario.seed, clients=2, pace=1.6, lives=[5, 20, 60]).start()
        samples = []
        begun = time.monotonic()
        while time.monotonic() - begun < minutes * 60:
            time.sleep(min(10, minutes * 6))
            samples.append((time.monotonic() - begun, _sample(service, cluster), len(load.accepted)))
        load.stop()
        checker = scenario.checker(service, cluster)
        settled = samples[len(samples) // 4 :]
        for name in settled[0][1]["processes"]:
            for what, bound in BOUNDS.items():
                values = [(moment / 60, sample["processes"][name][what]) for moment, sample, _ in settled]
                growth = slope(values)
                scenario.note(f"{name}: {values[0][1]:.1f} to {values[-1][1]:.1f} {what}, {growth:+.2f} a minute (at most {bound})")
                checker.must(growth <= bound, f"{name} grows by {growth:.2f} {what} a minute")
        composes = settled[-1][2] - settled[0][2]
        growth = (settled[-1][1]["kilobytes"] - settled[0][1]["kilobytes"]) / max(1, composes)
        dead, live = settled[-1][1]["dead"], settled[-1][1]["live"]
        scenario.note(
            f"database: {settled[-1][1]['kilobytes'] / 1024:.1f} MiB, {growth:.1f} KiB for each compose (at most {MOST_KILOBYTES}),"
            f" {dead} dead rows of {live} live ones (at most {MOST_DEAD} times)"
        )
        checker.must(growth <= MOST_KILOBYTES, f"the database grows by {growth:.1f} KiB for each compose")
        checker.must(dead <= MOST_DEAD * live + 10000, f"{dead} dead rows")
        scenario.note(f"{minutes:g} minutes: {load.summary}")
        scenario.note(checker.all(load.accepted, webhook, follower))


def _sample(service, cluster):
    processes = {}
    for number, process in enumerate(service.processes):
        with open(f"/proc/{process.pid}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        processes[f"{process.role} {number}"] = {
            "MiB of memory": memory / 1024, "open files": len(os.listdir(f"/proc/{process.pid}/fd")),
        }
    size = cluster.number("odcs", "SELECT pg_database_size('odcs') / 1024")
    dead, live = map(int, cluster.query("odcs", "SELECT sum(n_dead_tup), sum(n_live_tup) FROM pg_stat_user_tables")[0])
    return {"processes": processes, "kilobytes": size, "dead": dead, "live": live}


def slope(values):
    """Returns the slope of the line that fits the pairs best."""
    count = len(values)
    x, y = sum(a for a, _ in values) / count, sum(b for _, b in values) / count
    spread = sum((a - x) ** 2 for a, _ in values)
    return sum((a - x) * (b - y) for a, b in values) / spread if spread else 0
