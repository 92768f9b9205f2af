"""Whether what is stored makes anything slower: years of composes, nearly all of them removed long ago."""
import itertools
import random
import time

from rows import within
from service import of_repository
from timing import by_turns, median, seconds
from world import TESTS_REPO

# Of all that are stored, these are not removed yet.
PRESENT = 500

STATEMENTS = {
    "claim": ["%FOR UPDATE SKIP LOCKED%lease_token%"],
    # Of the expirer's transaction: the look for what has expired, and the two changes.
    "expire": ["%time_to_expire LIMIT%", "%time_removed = now()%", "%SET retired_at = now()%"],
}


def stored(world):
    """List, filter, get, claim and expire with many composes stored and with few."""
    many = 5_000 if world.quick else 1_000_000
    few = 1_000
    world.cluster.query("postgres", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    databases = {"ours": world.database(), "rival": world.database()}
    settings = {"worker": {"expire_seconds": 1, "slots": 1}}
    with (
        world.service("stored-many", database=databases["ours"][1], settings=settings) as large,
        world.service("stored-few", database=databases["rival"][1], settings=settings) as small,
    ):
        services = {"ours": large, "rival": small}
        for service in services.values():
            service.compose(of_repository(TESTS_REPO, ["ed"]))
        fill(world, databases["rival"][0], few)
        series = world.growth["stored"] = {"x": [], "unit": "composes stored", "seconds": {}}
        count = few
        while count < many:
            fill(world, databases["ours"][0], count)
            grow(series, large, count)
            count *= 4
        fill(world, databases["ours"][0], many)
        grow(series, large, many)

        work = f"with {many:,} composes stored"
        rival = f"the same with {few:,}"
        for key, what, path in paths():
            rounds = 10 if world.quick else 100
            for service in services.values():
                ask(service, path(service))
            samples = by_turns(rounds, **{side: lambda s=service: ask(s, path(s)) for side, service in services.items()})
            yield within(f"stored-{key}", f"{what} {work}", rival, samples["ours"], samples["rival"], 2)
        names = {side: name for side, (name, _) in databases.items()}
        claimed = by_turns(world.runs, **{side: lambda s=side: claims(world, services[s], names[s]) for side in services})
        expired = [expiries(world, names) for _ in range(world.runs)]
        for key, samples in (("claim", claimed), ("expire", {side: [one[side] for one in expired] for side in services})):
            yield within(f"stored-{key}", f"{key} {work}: the statements' time", rival, samples["ours"], samples["rival"], 2)
    for service, (name, _) in zip(services.values(), databases.values()):
        world.remove(service)
        world.cluster.drop(name)


def paths():
    chosen = random.Random(3)
    # The service ignores the key n. It keeps answers, and no answer may be a kept one here.
    number = itertools.count()
    composes = "/api/1/composes/"
    return [
        ("get", "GET one", lambda service: f"{composes}{chosen.randrange(1, 1000)}"),
        ("list", "the list", lambda service: f"{composes}?n={next(number)}"),
        ("owner", "the list of an owner", lambda service: f"{composes}?owner=owner-7&n={next(number)}"),
        ("source", "the list of a source", lambda service: f"{composes}?source=source-7&n={next(number)}"),
        ("done", "the list of what is done", lambda service: f"{composes}?state=2&n={next(number)}"),
        ("label", "the list of a label", lambda service: f"{composes}?label=RC-1.7&n={next(number)}"),
    ]


def ask(service, path):
    return seconds(service.call, "GET", path)


def grow(series, service, count):
    series["x"].append(count)
    for key, what, path in paths():
        ask(service, path(service))
        series["seconds"].setdefault(what, []).append(median([ask(service, path(service)) for _ in range(20)]))


def fill(world, database, count):
    """Copies a compose that was made until so many are stored. Ten each are of one owner, one source and one label."""
    columns = "source_type, compose_type, specification, specification_key"
    there = "(SELECT count(*) FROM composes)"
    world.cluster.query(
        database,
        f"""
        SET search_path = odcs;
        SET session_replication_role = replica;
        INSERT INTO composes (owner, source, label, request, {columns}, state, state_reason, time_submitted, time_started, time_done,
            time_to_expire, time_removed, result_id, attempts)
        SELECT 'owner-' || n / 10, 'source-' || n / 10, 'RC-1.' || n / 10, request, {columns}, 3, state_reason, time_submitted - n * interval '1 minute',
            time_started, time_done, now() - n * interval '1 minute', now() - n * interval '1 minute', result_id, attempts
        FROM (SELECT * FROM composes WHERE id = 1) AS one, generate_series({there} + 1, {count}) AS n;
        UPDATE composes SET state = 2, time_removed = NULL, time_to_expire = now() + interval '1 year'
        WHERE id > (SELECT max(id) FROM composes) - {PRESENT} AND state = 3;
        UPDATE composes SET state = 3, time_removed = now()
        WHERE id <= (SELECT max(id) FROM composes) - {PRESENT} AND id > 1 AND state = 2;
        INSERT INTO removed_composes SELECT source_type, count(*) FROM composes WHERE state = 3 GROUP BY source_type
            ON CONFLICT (source_type) DO UPDATE SET composes = excluded.composes;
        RESET session_replication_role;
        """,
    )
    world.cluster.query(database, "VACUUM ANALYZE odcs.composes")


def statements(world, database, which):
    """The seconds that the server spent on those statements, and how many rows they changed."""
    texts = " OR ".join(f"query LIKE '{text}'" for text in STATEMENTS[which])
    rows = world.cluster.query(
        "postgres",
        f"""
        SELECT coalesce(sum(total_exec_time), 0) / 1000, coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid
        WHERE datname = '{database}' AND ({texts}) AND query NOT LIKE '%pg_stat_statements%'
        """,
    )
    return [float(value) for value in rows[0]]


def claims(world, service, database):
    """Seconds a claim."""
    before = statements(world, database, "claim")
    body = of_repository(TESTS_REPO, ["ed"])
    for _ in range(3 if world.quick else 10):
        service.compose(body)
    after = statements(world, database, "claim")
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def expiries(world, databases):
    """Seconds for 50 composes, in each database: at once, since it is a timer that they wait for."""
    before = {side: statements(world, database, "expire")[0] for side, database in databases.items()}
    for database in databases.values():
        world.cluster.query(
            database,
            """
            SET search_path = odcs;
            UPDATE composes SET time_to_expire = now() - interval '1 second', removed_by = 'bench'
            WHERE id IN (SELECT id FROM composes WHERE state = 2 AND id > 1 ORDER BY id LIMIT 50)
            """,
        )
    over = "SELECT count(*) FROM odcs.composes WHERE state = 2 AND time_to_expire <= now()"
    while any(world.cluster.numbers(database, over)[0] for database in databases.values()):
        time.sleep(0.01)
    return {side: statements(world, database, "expire")[0] - before[side] for side, database in databases.items()}
