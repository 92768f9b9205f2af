"""What must hold when a scenario has ended, from the database, the disk, the subscribers and /proc."""
import os
import subprocess
import time

from receivers import Follower, Webhook

WAIT, GENERATING, DONE, REMOVED, FAILED = range(5)
READER = f"{os.path.dirname(os.path.abspath(__file__))}/read_repositories.py"

# The changes of state that composes may make, and builds, which wait in state 0 and are built in 1.
LEGAL = {(None, 0), (0, 1), (1, 0), (1, 2), (1, 4), (0, 4), (2, 3), (4, 3)}


class Lost(Exception):
    """Something was lost or left over. The message names it."""


class Checker:
    """Collects what is wrong with a service after a scenario."""

    def __init__(self, service, cluster, database="odcs"):
        self.service, self.cluster, self.database = service, cluster, database
        self.problems = []

    def query(self, sql):
        return self.cluster.query(self.database, "SET search_path = odcs;" + sql)

    def column(self, sql):
        return [row[0] for row in self.query(sql)]

    def must(self, holds, problem):
        if not holds:
            self.problems.append(problem)

    def none(self, sql, problem):
        """Notes a problem with the first rows that the query returns."""
        rows = self.query(sql)
        if rows:
            self.problems.append(f"{problem}: {len(rows)}, for example {rows[:3]}")

    # Waits.

    def wait_until_final(self, patience=300):
        """Waits until no compose and no build waits or is made, and expired files are deleted.

        Composes with a short life have to expire as well. So nothing changes during the checks.
        """
        deadline = time.monotonic() + patience
        open_work = (
            "SELECT (SELECT count(*) FROM composes WHERE state IN (0, 1)) + (SELECT count(*) FROM builds WHERE state IN (0, 1))"
            " + (SELECT count(*) FROM results WHERE retired_at IS NOT NULL AND deleted_at IS NULL)"
            " + (SELECT count(*) FROM results WHERE retired_at IS NULL AND expires_at < now() + interval '10 min')"
            " + (SELECT count(*) FROM composes WHERE state = 4 AND time_to_expire < now() + interval '10 min')"
            " + (SELECT count(*) FROM composes WHERE state = 2 AND removed_by IS NOT NULL)"
            " + (SELECT count(*) FROM events WHERE published_at IS NULL)"
        )
        while True:
            count = int(self.query(open_work)[0][0])
            if count == 0:
                return
            if time.monotonic() > deadline:
                self.problems.append(f"{count} composes, builds or results are still open after {patience} s")
                return
            time.sleep(0.25)

    def wait_until(self, holds, patience=60):
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    # The database.

    def accepted(self, composes):
        """Each of these composes has a row. Each compose has ended once, and its attempts fit."""
        rows = set(self.column("SELECT id FROM composes"))
        missing = [id for id in composes if str(id) not in rows]
        self.must(not missing, f"accepted composes without a row: {missing[:5]}")
        self.none(
            "SELECT compose_id, count(*) FROM events WHERE state IN (2, 4) AND compose_id IS NOT NULL GROUP BY 1 HAVING count(*) <> 1",
            "composes that ended more than once")
        self.none(
            "SELECT id, state FROM composes c WHERE (SELECT count(*) FROM events e WHERE e.compose_id = c.id AND e.state IN (2, 4)) <> 1",
            "composes that did not end once")
        self.none(
            "SELECT compose_id, count(*) FROM attempts WHERE outcome = 'done' AND compose_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1",
            "composes that were made twice")

    def no_leftover_rows(self):
        self.none("SELECT id FROM composes WHERE lease_token IS NOT NULL OR joined_to IS NOT NULL AND state <> 1", "leases")
        self.none("SELECT id FROM build_steps WHERE lease_token IS NOT NULL OR state = 1", "leases of steps")
        self.none("SELECT lease_token FROM attempts WHERE ended_at IS NULL", "open attempts")
        self.none(
            "SELECT id FROM results r WHERE retired_at IS NULL AND NOT EXISTS (SELECT FROM composes c WHERE c.result_id = r.id AND c.state = 2)",
            "results that no compose shows")
        self.none(
            "SELECT id FROM composes c WHERE state = 2 AND NOT EXISTS"
            " (SELECT FROM results r WHERE r.id = c.result_id AND r.deleted_at IS NULL)",
            "done composes without a result")
        self.none(
            "SELECT c.id FROM composes c LEFT JOIN results r ON r.id = c.result_id"
            " WHERE (c.state = 2 AND r.expires_at < now() - interval '60 s') OR (c.state = 4 AND c.time_to_expire < now() - interval '60 s')",
            "composes that did not expire")

    # Events.

    def events(self, webhook: Webhook | None, follower: Follower | None, positions=True):
        """Each subscriber has each event, those of one object in order, and the stream has them by position."""
        stored = [
            (int(position or 0), kind, int(id), int(state))
            for position, kind, id, state in self.query(
                "SELECT position, CASE WHEN build_id IS NULL THEN 'compose' ELSE 'build' END, coalesce(compose_id, build_id), state"
                " FROM events WHERE state IS NOT NULL ORDER BY position NULLS FIRST, id")
        ]
        if positions:
            self.none("SELECT id FROM events WHERE position IS NULL", "events without a position")
            self.must([event[0] for event in stored] == list(range(1, len(stored) + 1)), "the positions of the events have gaps")
        sequences = in_order(event[1:] for event in stored)
        for (kind, id), states in sequences.items():
            steps = list(zip([None, *states], states))
            self.must(all(step in LEGAL for step in steps), f"{kind} {id} went through the states {states}")
        last = stored[-1][0] if stored else 0
        if webhook:
            self.wait_until(lambda: len(webhook.first_times()) >= len(stored), 120)
            found = in_order(webhook.first_times())
            self.differences("the webhook", sequences, found)
            self.must(
                self.wait_until(lambda: not self.query(f"SELECT name FROM subscribers WHERE position < {last} AND paused_at IS NULL"), 60),
                "subscribers are behind")
            self.none("SELECT * FROM dead_letters", "dead letters")
        if follower:
            self.wait_until(lambda: follower.events and follower.events[-1][0] == last, 60)
            wrong = next((pair for pair in zip(stored, follower.events) if pair[0] != pair[1]), None)
            self.must(wrong is None, f"the stream has another event: {wrong}")
            self.must(len(follower.events) == len(stored), f"the stream has {len(follower.events)} of {len(stored)} events")
        return len(stored)

    def differences(self, receiver, stored, found):
        for key, states in stored.items():
            if found.get(key) != states:
                self.problems.append(f"{receiver} has {found.get(key)} of {key}, not {states}")
                return
        self.must(len(found) == len(stored), f"{receiver} has events of {len(found)} objects, not {len(stored)}")

    # The disk.

    def no_leftover_files(self):
        target = self.service.target
        work = f"{target}/.work"
        # A worker sweeps what a killed one has left.
        swept = self.wait_until(lambda: not os.path.isdir(work) or not os.listdir(work), 90)
        self.must(swept, f"directories of attempts: {os.listdir(work)[:3] if not swept else ''}")
        expected = {f"odcs-{id}" for id in self.column("SELECT id FROM results WHERE deleted_at IS NULL")}
        found = {name for name in os.listdir(target) if name.startswith("odcs-")}
        self.must(found == expected, f"directories {sorted(found ^ expected)[:5]} are left over or missing")
        links = {name for name in os.listdir(target) if name.startswith("latest-")}
        self.must(links == {f"latest-{name}-1" for name in expected}, f"links {sorted(links)[:3]} do not fit")
        kept = {f"odcs-{id}.log" for id in self.column("SELECT id FROM composes WHERE state <> 3")}
        logs = f"{target}/.logs"

        def left():
            return set(os.listdir(logs)) - kept if os.path.isdir(logs) else set()

        self.wait_until(lambda: not left(), 60)
        self.must(not left(), f"logs of removed composes: {sorted(left())[:3]}")
        partial = [f"{place}/{name}" for place, _, names in os.walk(target) for name in names if name.endswith(".part")]
        self.must(not partial, f"partial files: {partial[:3]}")

    def readable(self):
        """Every result can be read by dnf, from its .repo file if it has one, and by libsolv."""
        lines = []
        for id in self.column("SELECT id FROM results WHERE deleted_at IS NULL"):
            compose = f"{self.service.target}/odcs-{id}"
            for place, names, _ in os.walk(compose):
                if "repodata" in names:
                    repofile = f"{compose}/compose/Temporary/odcs-{id}.repo"
                    lines.append(f"{place}\t{repofile}" if place.endswith("/x86_64/os") and os.path.exists(repofile) else place)
        if not lines:
            return "nothing to read"
        done = subprocess.run(["/usr/bin/python3", READER], input="\n".join(lines) + "\n", capture_output=True, text=True)
        *problems, summary = done.stdout.splitlines() or [done.stderr]
        self.problems += problems[:5]
        self.must(done.returncode == 0, f"the readers ended with {done.returncode}: {done.stderr[-300:]}")
        return summary

    # The end.

    def nothing_runs(self):
        """No process and no session is left when the service has been stopped."""
        for process in self.service.processes:
            self.must(all(end == 0 for end in process.ends), f"{process.role} ended with {process.ends}; see {process.log}")
        self.must(self.wait_until(lambda: not processes_below(self.service.directory), 10), "processes are left over")
        sessions = "SELECT pid, application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        self.must(self.wait_until(lambda: not self.query(sessions), 10), f"sessions of the database: {self.query(sessions)[:3]}")

    def trapped(self):
        """No process has ended by itself, except those that the scenario killed."""
        for process in self.service.processes:
            with open(process.log, "rb") as log:
                text = log.read()
            for word in (b"Fatal error", b"Thread 0 crashed", b"\xf0\x9f\x92\xa3"):
                self.must(word not in text, f"{process.log} has {word!r}")

    def all(self, composes, webhook=None, follower=None, patience=300, positions=True):
        """Makes all checks, with the service running, then stops it. Returns a summary. Raises Lost."""
        self.wait_until_final(patience)
        self.accepted(composes)
        self.no_leftover_rows()
        count = self.events(webhook, follower, positions)
        self.no_leftover_files()
        summary = self.readable()
        self.service.stop()
        self.nothing_runs()
        self.trapped()
        self.end()
        return f"{len(composes)} composes, {count} events, {summary}"

    def end(self):
        if self.problems:
            raise Lost("; ".join(self.problems))


def in_order(messages):
    """Returns the states of each object, in order."""
    sequences = {}
    for kind, id, state in messages:
        sequences.setdefault((kind, id), []).append(state)
    return sequences


def processes_below(directory):
    """Returns the processes whose command names a file below the directory."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as stream:
                    if directory.encode() in stream.read():
                        found.append(int(entry))
            except OSError:
                continue
    return found
