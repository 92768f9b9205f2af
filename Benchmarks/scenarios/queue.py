"""The queue: how soon a compose is claimed, and how many a second get done."""
import time
from concurrent.futures import ThreadPoolExecutor

from rows import Row, no_less, no_longer, within
from scenarios.frontend import pgbench
from service import ComposeFailed, of_repository
from timing import by_turns, median
from world import TESTS_REPO

# The owners of the waiting composes, where there are several.
OWNERS = 200

# The statements of a claim: the claim itself, the look whether owners take turns, the look for the
# owners that wait, the lock of the turns, and the next turn of the owner.
CLAIM = ["INSERT INTO attempts", "min(owner)", "RECURSIVE heads", " turns of ", "UPDATE turn_clocks"]


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
    yield turns(world)
    yield at_once(world)


def at_once(world):
    """Claims of 32 clients, whose events a sequencer announces, against claims as they were before events had positions."""
    clients, waiting, seconds = 32, 30_000 if world.quick else 200_000, 1 if world.quick else 4
    script = f"{world.directory}/claim.sql"
    with open(script, "w") as stream:
        stream.write(
            "UPDATE composes SET state = 1, attempts = attempts + 1, lease_token = gen_random_uuid(), "
            "lease_expires_at = now() + interval '1 minute' "
            "WHERE id = (SELECT id FROM composes WHERE state = 0 LIMIT 1 FOR UPDATE SKIP LOCKED);\n"
        )
    sequencing = f"{world.directory}/sequence.sql"
    with open(sequencing, "w") as stream:
        # The rest between two turns is that of a service under load (SequencingPace).
        stream.write("SELECT sequence_events(1000);\n\\sleep 10 ms\n")
    names = {}
    for side in ("ours", "rival"):
        names[side], address = world.database()
        with world.service("at-once", workers=0, database=address) as service:
            service.submit(of_repository(TESTS_REPO, ["ed"]))
        world.remove(service)
        wait(world, names[side], waiting, 1)
    world.cluster.query(names["rival"], BEFORE_POSITIONS)

    def ours():
        with ThreadPoolExecutor() as executor:
            sequencer = executor.submit(pgbench, world, names["ours"], sequencing, seconds, clients=1)
            rate = pgbench(world, names["ours"], script, seconds, clients=clients)
            sequencer.result()
        return rate

    found = by_turns(world.runs, ours=ours, rival=lambda: pgbench(world, names["rival"], script, seconds, clients=clients))
    for name in names.values():
        world.cluster.drop(name)
    return no_less(
        "claims-at-once", f"claims of {clients} clients at once", median(found["ours"]) / median(found["rival"]), 2, "times as many",
        {f"{side}_per_second": samples for side, samples in found.items()}, rival="the same before events had positions: each claim notifies",
    )  # fmt: skip


# Claims before events had positions: each one notified, PostgreSQL looked up the compose of each event, and each statement read the
# condition of a trigger anew.
BEFORE_POSITIONS = """
SET search_path = odcs;
CREATE FUNCTION notify_each() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.state || ' ' || NEW.id);
    RETURN NULL;
END $$;
-- It fires after the trigger of the schema, which stores the event.
CREATE TRIGGER notify_each AFTER UPDATE OF state ON composes FOR EACH ROW EXECUTE FUNCTION notify_each();
ALTER TABLE events ADD FOREIGN KEY (compose_id) REFERENCES composes;
DROP TRIGGER composes_shown_change ON composes;
CREATE TRIGGER composes_shown_change AFTER UPDATE ON composes FOR EACH ROW
    WHEN (OLD.state = NEW.state AND ROW(
        OLD.source, OLD.koji_event, OLD.koji_task_id, OLD.pungi_compose_id, OLD.state_reason, OLD.failure, OLD.time_started,
        OLD.time_done, OLD.time_to_expire, OLD.time_removed, OLD.removed_by, OLD.specification_key, OLD.result_id, OLD.joined_to
    ) IS DISTINCT FROM ROW(
        NEW.source, NEW.koji_event, NEW.koji_task_id, NEW.pungi_compose_id, NEW.state_reason, NEW.failure, NEW.time_started,
        NEW.time_done, NEW.time_to_expire, NEW.time_removed, NEW.removed_by, NEW.specification_key, NEW.result_id, NEW.joined_to
    )) EXECUTE FUNCTION composes_shown_change();
"""


def turns(world):
    """Claims with the composes of many owners waiting and with those of one, on idle databases."""
    waiting = 2_000 if world.quick else 60_000
    world.cluster.query("postgres", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    databases = {"ours": world.database(), "rival": world.database()}
    settings = {"worker": {"slots": 1}}
    with (
        world.service("claiming-owners", database=databases["ours"][1], settings=settings) as ours,
        world.service("claiming-owner", database=databases["rival"][1], settings=settings) as rival,
    ):
        for service in (ours, rival):
            service.compose(of_repository(TESTS_REPO, ["ed"]))
        for side, owners in (("ours", OWNERS), ("rival", 1)):
            wait(world, databases[side][0], waiting, owners)
        samples = {side: [] for side in databases}
        for _ in range(world.runs):
            # Both workers work during all rounds, so a disturbance disturbs both sides.
            before = {side: claimed(world, name) for side, (name, _) in databases.items()}
            time.sleep(1 if world.quick else 4)
            for side, (name, _) in databases.items():
                (seconds, claims), (seconds_before, claims_before) = claimed(world, name), before[side]
                samples[side].append((seconds - seconds_before) / max(1, claims - claims_before))
    for service, (name, _) in zip((ours, rival), databases.values()):
        world.remove(service)
        world.cluster.drop(name)
    return within(
        "claim-owners", f"claim with {OWNERS} owners and {waiting:,} composes waiting: the statements' time",
        "the same with one owner", samples["ours"], samples["rival"], 3,
    )  # fmt: skip


def wait(world, database, count, owners):
    """Lets copies of a compose wait, by turns of so many owners."""
    world.cluster.query(
        database,
        f"""
        SET search_path = odcs;
        SET session_replication_role = replica;
        INSERT INTO composes (owner, source, request, source_type, time_to_expire)
        SELECT 'owner-' || n % {owners}, source, request, source_type, now() + interval '1 day'
        FROM (SELECT * FROM composes WHERE id = 1) AS one, generate_series(1, {count}) AS n;
        RESET session_replication_role;
        SELECT pg_notify('odcs', '0 2');
        """,
    )
    world.cluster.query(database, "VACUUM ANALYZE odcs.composes")


def claimed(world, database):
    """The seconds that the server spent on claims, and the number of claims."""
    texts = " OR ".join(f"query LIKE '%{text}%'" for text in CLAIM)
    rows = world.cluster.numbers(
        "postgres",
        f"""
        SELECT coalesce(sum(total_exec_time), 0) / 1000 FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid
        WHERE datname = '{database}' AND ({texts})
        """,
    )
    return rows[0], world.cluster.numbers(database, "SELECT count(*) FROM odcs.attempts")[0]


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
