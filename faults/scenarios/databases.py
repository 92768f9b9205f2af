"""PostgreSQL restarts, goes away, and is replaced by a standby, while composes are made."""
import time

from load import Load
from service import TESTS_REPO, Visitor, of_repository
from table import seconds


def _answers(service, patience=60):
    """Returns the seconds until the list is answered."""
    began = time.monotonic()
    service.call("GET", "/api/1/composes/?per_page=1", patience=patience)
    return time.monotonic() - began


def _composes(service, accepted):
    """Returns the seconds until a new compose is done."""
    began = time.monotonic()
    compose = service.submit(of_repository(TESTS_REPO, "libed-data", flags=["no_reuse"]))
    accepted.append(compose)
    service.ends(compose)
    return time.monotonic() - began


def restarts(scenario):
    """PostgreSQL is restarted with `-m immediate` again and again, as after a crash."""
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 2, "workers": 2})
    service = scenario.service(cluster.address(), **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, 100000, scenario.seed, clients=2, pace=0.3).start()
        answered, done, extra = [], [], []
        for _ in range(scenario.amount(20, 3)):
            cluster.restart("immediate")
            answered.append(_answers(service))
            done.append(_composes(service, extra))
            time.sleep(1)
        load.stop()
        scenario.note(f"{len(answered)} restarts: {load.summary}. The list is answered after {seconds(answered)}")
        scenario.note(f"a new compose is done after {seconds(done)}")
        checker = scenario.checker(service, cluster)
        checker.must(all(process.runs for process in service.processes), "a process has ended")
        scenario.note(checker.all(load.accepted + extra, webhook, follower))


def away(scenario):
    """PostgreSQL is away for a minute. Requests get 503 at once, and the work goes on afterwards."""
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 2, "workers": 2})
    service = scenario.service(cluster.address(), **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, 100000, scenario.seed, clients=2, pace=0.2).start()
        time.sleep(3)
        cluster.stop("immediate")
        duration = scenario.amount(60, 8)
        with Visitor(service) as visitor:
            time.sleep(duration)
        statuses = {failure[:3] for failure in visitor.failures}
        cluster.start()
        extra = []
        answered, done = _answers(service), _composes(service, extra)
        load.stop()
        scenario.note(
            f"away for {duration} s: {load.summary}, {len(visitor.times)} requests meanwhile were answered {', '.join(sorted(statuses))},"
            f" {seconds(visitor.times)}"
        )
        scenario.note(f"after its return the list is answered in {answered:.2f} s, and a new compose is done in {done:.2f} s")
        checker = scenario.checker(service, cluster)
        checker.must(statuses == {"503"}, f"requests were answered {visitor.failures[:2]}")
        checker.must(max(visitor.times) < 10, "an answer took more than 10 s")
        checker.must(all(process.runs for process in service.processes), "a process has ended")
        scenario.note(checker.all(load.accepted + extra, webhook, follower))


def failover(scenario):
    """The primary is lost, and its synchronous standby is promoted. The connection string has both."""
    primary = scenario.cluster()
    standby = primary.standby(f"{scenario.directory}/standby")
    scenario.on_close(standby.stop, "immediate")
    webhook, options = scenario.subscribers({"frontends": 2, "workers": 2})
    service = scenario.service(primary.address("odcs", standby), **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, 100000, scenario.seed, clients=2, pace=0.2).start()
        time.sleep(scenario.amount(10, 4))
        primary.stop("immediate")
        lost = time.monotonic()
        standby.promote()
        promoted = time.monotonic()
        # It has no standby of its own.
        standby.query("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
        standby.query("postgres", "SELECT pg_reload_conf()")
        extra = []
        answered, done = _answers(service), _composes(service, extra)
        time.sleep(scenario.amount(5, 1))
        load.stop()
        scenario.note(f"{load.summary}. The promotion took {promoted - lost:.2f} s")
        scenario.note(f"after it the list is answered in {answered:.2f} s, and a new compose is done in {done:.2f} s")
        checker = scenario.checker(service, standby)
        checker.must(all(process.runs for process in service.processes), "a process has ended")
        scenario.note(checker.all(load.accepted + extra, webhook, follower))
