"""A worker is stopped for longer than its lease, as a host that hangs does, and then goes on.

It must write nothing to what another worker has published, and nobody may wait for it.
"""
import os
import subprocess
import time

from service import TESTS_REPO, of_repository
from scenario import Skipped
from sources import Repository

# The package of which each compose here consists.
PACKAGE = "Packages/libed-data-1.1-2.noarch.rpm"
LEASE = 6


def fetching(scenario):
    """The worker is stopped while it fetches a package."""
    _run(scenario, None)


def in_transaction(scenario):
    """The worker is stopped in its last transaction: the tree is published, and nothing is committed."""
    _run(scenario, "symlink")


def in_rename(scenario):
    """The worker is stopped in the rename that publishes the tree."""
    _run(scenario, "rename")


def _run(scenario, place):
    if place and subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        raise Skipped("strace cannot trace other processes here")
    cluster = scenario.cluster()
    repository = Repository(TESTS_REPO)
    scenario.on_close(repository.close)
    webhook, options = scenario.subscribers({
        "frontends": 1, "workers": 3,
        "settings": {"sources": {"allowed_urls": [repository.url]}, "worker": {"lease_seconds": LEASE}},
    })
    service = scenario.service(cluster.address(), **options)
    with service:
        follower = scenario.follower(service)
        taken, others = [], []
        composes = []
        for _ in range(scenario.amount(3, 1)):
            _freeze_once(scenario, service, cluster, repository, place, composes, taken, others)
        scenario.note(
            f"{len(taken)} composes were done by another worker after at most {max(taken):.1f} s,"
            f" others meanwhile in at most {max(others):.1f} s"
        )
        checker = scenario.checker(service, cluster)
        checker.must(max(taken) < 60, "the compose was taken over late")
        checker.must(max(others) < 15, "another compose waited")
        scenario.note(checker.all(composes, webhook, follower))


def _freeze_once(scenario, service, cluster, repository, place, composes, taken, others):
    tracer = None
    with repository.held(PACKAGE):
        compose = service.submit(of_repository(repository.fresh(), "libed-data", flags=["no_reuse"]))
        composes.append(compose)
        repository.when_held()
        running = f"SELECT worker FROM odcs.attempts WHERE compose_id = {compose} AND ended_at IS NULL"
        holder = cluster.query("odcs", running)[0][0]
        worker = next(each for each in service.workers if each.configuration.endswith(f"/{holder}.yaml"))
        if place is None:
            worker.freeze()
        elif place == "symlink":
            # The link latest-odcs-N-1 is made after the rename.
            tracer = Tracer(worker.pid, "symlink,symlinkat")
        else:
            # The log is linked into the tree right before the rename, which is not the first one.
            tracer = Tracer(worker.pid, "link,linkat")
    try:
        if tracer:
            tracer.when_delayed()
        worker.freeze()
        if place == "rename":
            tracer.end()
            tracer = Tracer(worker.pid, "rename")
            worker.thaw()
            tracer.when_delayed()
            worker.freeze()
        began = time.monotonic()
        # Nobody waits for it: neither another compose nor the reader of a list.
        other = service.submit(of_repository(TESTS_REPO, "libed-data", flags=["no_reuse"]))
        composes.append(other)
        shown = service.ends(other)
        others.append(time.monotonic() - began)
        if shown["state_name"] != "done":
            raise RuntimeError(f"the other compose failed: {shown['state_reason']}")
        shown = service.ends(compose, patience=90)
        taken.append(time.monotonic() - began)
        if shown["state_name"] != "done":
            raise RuntimeError(f"the compose failed: {shown['state_reason']}")
        before = _state(service, cluster, compose)
        if tracer:
            tracer.end()
        worker.thaw()
        # It renews its lease, its listener and its pool several times in this time.
        time.sleep(LEASE)
        after = _state(service, cluster, compose)
        if before != after:
            changed = sorted(set(before) ^ set(after))
            raise RuntimeError(f"the worker that was stopped has changed something: {changed[:3]}")
    finally:
        if tracer:
            tracer.end()
        worker.thaw()


class Tracer:
    """strace, which holds the threads of a process at the begin of some system calls."""

    def __init__(self, pid, calls):
        self.pid = pid
        self._strace = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), "-e", f"trace={calls}", "-e", f"inject={calls}:delay_enter=60000000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        os.set_blocking(self._strace.stderr.fileno(), False)
        said = b""
        while b"attached" not in said:
            said += self._strace.stderr.read() or b""
            if self._strace.poll() is not None:
                raise RuntimeError(f"strace ended: {said.decode()}")
            time.sleep(0.02)

    def when_delayed(self, patience=60):
        """Waits until a thread is held."""
        deadline = time.monotonic() + patience
        held = 0
        while held < 5:
            if time.monotonic() > deadline:
                raise RuntimeError("the worker did not come to the call")
            self._strace.stderr.read()
            held = held + 1 if "t" in self._states() else 0
            time.sleep(0.1)

    def _states(self):
        states = set()
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/stat") as stream:
                    states.add(stream.read().rpartition(")")[2].split()[0])
            except OSError:
                continue
        return states

    def end(self):
        """Lets the threads go on, unless the whole process is stopped."""
        self._strace.terminate()
        self._strace.wait()


def _state(service, cluster, compose):
    """Returns the rows and the files of a compose."""
    found = cluster.query("odcs", f"SELECT state, time_done, result_id, attempts FROM odcs.composes WHERE id = {compose}")
    found += cluster.query("odcs", f"SELECT number, outcome, ended_at FROM odcs.attempts WHERE compose_id = {compose} ORDER BY 1")
    found += cluster.query("odcs", f"SELECT position, state FROM odcs.events WHERE compose_id = {compose} ORDER BY 1")
    for place, folders, names in sorted(os.walk(f"{service.target}/odcs-{compose}")):
        for name in sorted([*folders, *names]):
            status = os.lstat(f"{place}/{name}")
            found.append((f"{place}/{name}", status.st_ino, status.st_size, status.st_mtime_ns))
    log = f"{service.target}/.logs/odcs-{compose}.log"
    if os.path.exists(log):
        found.append((log, os.stat(log).st_size))
    return found
