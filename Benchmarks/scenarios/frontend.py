"""The frontend under load, against the reference implementation and against PostgreSQL itself."""
import os
import subprocess

import load
from reference import Reference
from rows import Row, no_less, times
from service import of_repository
from timing import by_turns, median
from world import TESTS_REPO

CONNECTIONS = 16
LATENCY = 0.02


def answers(world):
    """GET one, GET list and POST at 16 connections, against the reference implementation; POST against pgbench."""
    seconds = 1 if world.quick else 5
    body = of_repository(TESTS_REPO, ["ed"])
    name, address = world.database()
    theirs_name, _ = world.database()
    directory = world.fresh("reference")
    # Neither writes a line for each request.
    with world.service("frontend", workers=0, database=address, settings={"log": {"level": "warning"}}) as service, Reference(
        f"{os.path.dirname(world.directory)}/upstream", directory, world.cluster.url(theirs_name)
    ) as reference:
        both = {"ours": service.url, "rival": reference.url}
        for url in both.values():
            fill(url, body, 50 if world.quick else 1000)
        for key, what, path, method, at_least in (
            ("get", "GET one", "/api/1/composes/50", "GET", 20),
            ("list", "GET list", "/api/1/composes/", "GET", 20),
            ("post", "POST", "/api/1/composes/", "POST", 10),
        ):
            options = {"method": method, "connections": CONNECTIONS, "body": body if method == "POST" else None}
            sides = {side: lambda url=url: load.load(url + path, seconds, **options) for side, url in both.items()}
            if method == "POST":
                script = insertion(world, name)
                sides["pgbench"] = lambda: pgbench(world, name, script, seconds)
            # OPTIONS is answered without a body and without the database.
            sides["empty"] = lambda path=path: load.load(service.url + path, seconds, method="OPTIONS", connections=CONNECTIONS)
            if key == "list":
                sides["new"] = lambda path=path: load.load(service.url + path, seconds, connections=CONNECTIONS, unique=True)
            found = by_turns(world.runs, **sides)
            yield compared(key, what, found["ours"], found["rival"], at_least)
            yield against_empty(key, what, found["ours"], found["empty"], found["rival"])
            if key == "list":
                yield against_empty("list-new", "GET list, each with another query", found["new"], found["empty"], found["rival"])

        ours = [run["rate"] for run in found["ours"]]
        yield no_less(
            "post-pgbench", f"POST, {CONNECTIONS} connections", median(ours) / median(found["pgbench"]), 0.5, "of it",
            {"ours_per_second": ours, "rival_per_second": found["pgbench"]},
            rival="`pgbench` with the same insert, 16 clients",
        )  # fmt: skip
    world.cluster.drop(name)
    world.cluster.drop(theirs_name)


def tokens(world):
    """GET one and POST with an API token, against a service that asks for no credentials."""
    seconds = 1 if world.quick else 5
    body = of_repository(TESTS_REPO, ["ed"])
    databases = [world.database() for _ in range(2)]
    log = {"log": {"level": "warning"}}
    known = {**log, "auth": {"mechanisms": ["tokens"]}, "access": {"clients": {"bench": {"users": ["bench"]}}}}
    with (
        world.service("frontend-tokens", workers=0, database=databases[0][1], settings=known) as ours,
        world.service("frontend-open", workers=0, database=databases[1][1], settings=log) as rival,
    ):
        token = token_of(world, ours, "bench")
        sides = {"ours": (ours.url, token), "rival": (rival.url, None)}
        for url, credentials in sides.values():
            fill(url, body, 50 if world.quick else 1000, credentials)
        for key, what, path, method in (
            ("token-get", "GET one", "/api/1/composes/50", "GET"),
            ("token-post", "POST", "/api/1/composes/", "POST"),
        ):
            options = {"method": method, "connections": CONNECTIONS, "body": body if method == "POST" else None}
            loads = {
                side: lambda url=url, credentials=credentials: load.load(url + path, seconds, token=credentials, **options)["rate"]
                for side, (url, credentials) in sides.items()
            }
            found = by_turns(world.runs, **loads)
            yield no_less(
                key, f"{what} with an API token, {CONNECTIONS} connections", median(found["ours"]) / median(found["rival"]), 0.9, "of it",
                {"ours_per_second": found["ours"], "rival_per_second": found["rival"]}, rival="the same without authentication",
            )  # fmt: skip
    for service, (name, _) in zip((ours, rival), databases):
        world.remove(service)
        world.cluster.drop(name)


def token_of(world, service, owner):
    """Makes an API token on the host of the service."""
    command = [
        world.program, "token", "create", "--config", f"{service.directory}/frontend.yaml", "--owner", owner, "--note", "bench",
        "--scope", "new-compose",
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]


def fill(url, body, count, token=None):
    """At least so many composes, so that the list has pages."""
    made = 0
    while made < count:
        made += load.load(f"{url}/api/1/composes/", 1, method="POST", body=body, token=token)["requests"]


def compared(key, what, ours, theirs, at_least):
    rates = {side: [run["rate"] for run in runs] for side, runs in (("ours_per_second", ours), ("rival_per_second", theirs))}
    latency = [run["p99_s"] for run in ours]
    ratio = median(rates["ours_per_second"]) / median(rates["rival_per_second"])
    shown = (
        f"{times(ratio)} times ({median(rates['ours_per_second']):,.0f} : {median(rates['rival_per_second']):,.0f} a second), "
        f"p99 {median(latency) * 1000:.1f} ms"
    )
    return Row(
        key, f"{what}, {CONNECTIONS} connections", "odcs 0.9.2, gunicorn with 4 workers, same PostgreSQL",
        f"at least {at_least} times the requests a second, p99 below {LATENCY * 1000:.0f} ms", ratio, shown,
        ratio >= at_least and median(latency) < LATENCY,
        {**rates, "ours_p99_s": latency, "rival_p99_s": [run["p99_s"] for run in theirs]},
    )  # fmt: skip


def against_empty(key, what, ours, empty, theirs):
    """The limit of the HTTP server: an empty answer against ours, and against the rival's. No bar."""
    rates = {side: [run["rate"] for run in runs] for side, runs in (("ours", ours), ("empty", empty), ("rival", theirs))}
    of_empty = median(rates["ours"]) / median(rates["empty"])
    shown = f"{of_empty:.2f} of it; the empty answer itself is {times(median(rates['empty']) / median(rates['rival']))} times the rival"
    return Row(
        f"{key}-empty", f"{what}, {CONNECTIONS} connections", "an empty answer of the same server", "", of_empty, shown, True,
        {"ours_per_second": rates["ours"], "rival_per_second": rates["empty"]},
    )  # fmt: skip


def insertion(world, database):
    """A file for pgbench with what a POST inserts: the newest compose's row once more. The trigger does the rest there as well."""
    columns = (
        "owner", "request", "source_type", "source", "koji_event", "compose_type", "label", "renewed_from", "watch_id", "specification",
        "specification_key", "is_pinned",
    )  # fmt: skip
    values = " || ', ' || ".join(f"quote_nullable({column})" for column in columns)
    row = world.cluster.query(database, f"SELECT {values} FROM odcs.composes ORDER BY id DESC LIMIT 1")[0][0]
    script = f"{world.directory}/insert.sql"
    with open(script, "w") as stream:
        stream.write(
            f"INSERT INTO composes ({', '.join(columns)}, time_to_expire) VALUES ({row}, now() + interval '1 day') RETURNING *;\n"
        )
    return script


def pgbench(world, database, script, seconds, clients=CONNECTIONS):
    """Transactions a second."""
    command = [
        f"{world.cluster.bin}/pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2", f"--time={seconds}",
        f"--file={script}", world.cluster.socket_address(database),
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PGOPTIONS": "-c search_path=odcs"})
    if said.returncode:
        raise RuntimeError(f"pgbench: {said.stderr}")
    return float(next(line for line in said.stdout.splitlines() if line.startswith("tps")).split()[2])
