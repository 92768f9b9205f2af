"""Disks that fill up, that cannot be written, and the state directory with the service's own PostgreSQL."""
import contextlib
import os
import subprocess
import threading
import time

from checks import Lost
from service import TESTS_REPO, of_repository


def _service(scenario, cluster, disk, **worker):
    webhook, options = scenario.subscribers({"frontends": 1, "workers": 2, "settings": {
        "composes": {"targets": {"default": {"directory": disk}}}, "worker": {"retry_seconds": 1, **worker},
    }})
    service = scenario.service(cluster.address(), **options)
    service.target = disk
    return webhook, service


def _remount(disk, options):
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def full(scenario):
    """The disk of the composes fills up at each phase: it is a few KiB larger from compose to compose."""
    cluster = scenario.cluster()
    with scenario.small_disk("disk", "16k") as disk:
        webhook, service = _service(scenario, cluster, disk, attempts=1)
        with service:
            composes, sizes = [], {"failed": [], "done": []}
            size = 16
            # The last two have enough room.
            while len(sizes["done"]) < 2:
                _remount(disk, f"size={size}k")
                body = of_repository(TESTS_REPO, "ed", "ed-words", flags=["no_reuse"], seconds_to_live=7200)
                compose = service.submit(body)
                composes.append(compose)
                shown = service.ends(compose)
                sizes[shown["state_name"]].append(size)
                if shown["state_name"] == "failed" and "disk is full" not in shown["state_reason"]:
                    raise Lost(f"a compose on a full disk failed because of {shown['state_reason']!r}")
                # The next one finds an empty disk, which is a little larger.
                service.call("DELETE", f"/api/1/composes/{compose}")
                service.when(compose, "removed")
                size += scenario.amount(8, 48)
            _remount(disk, "size=64m")
            compose = service.submit(of_repository(TESTS_REPO, "ed", "ed-words", flags=["no_reuse"]))
            composes.append(compose)
            shown = service.ends(compose)
            scenario.note(f"with {sizes['failed'][0]} to {sizes['failed'][-1]} KiB, {len(sizes['failed'])} composes failed")
            checker = scenario.checker(service, cluster)
            checker.must(shown["state_name"] == "done", f"with room again: {shown['state_reason']}")
            scenario.note(checker.all(composes, webhook))


def read_only(scenario):
    """The disk of the composes cannot be written for a while. Composes expire meanwhile."""
    cluster = scenario.cluster()
    with scenario.small_disk("disk", "64m") as disk:
        webhook, service = _service(scenario, cluster, disk, attempts=1)
        with service:
            old = [service.submit(of_repository(TESTS_REPO, name, seconds_to_live=4)) for name in ("ed", "libed-data", "ed-words")]
            for compose in old:
                service.when(compose, "done")
            _remount(disk, "ro")
            try:
                failed = service.submit(of_repository(TESTS_REPO, "ed", flags=["no_reuse"]))
                reason = service.ends(failed)["state_reason"]
                for compose in old:
                    service.when(compose, "removed")
                # The expirer tries to delete the files a few times.
                time.sleep(3)
            finally:
                _remount(disk, "rw")
            compose = service.submit(of_repository(TESTS_REPO, "ed", flags=["no_reuse"]))
            shown = service.ends(compose)
            scenario.note(f"the compose meanwhile failed: {reason}")
            checker = scenario.checker(service, cluster)
            checker.must("may not write" in reason, f"the reason was {reason!r}")
            checker.must(shown["state_name"] == "done", f"with a disk that can be written: {shown['state_reason']}")
            scenario.note(checker.all([*old, failed, compose], webhook))


def embedded(scenario):
    """The disk of the state directory, with the service's own PostgreSQL, is full for a while."""
    with scenario.small_disk("disk", "320m") as disk:
        service = scenario.service(None, name="disk", frontends=1, workers=0)
        accepted, statuses = [], {}
        with service:
            ended = threading.Event()

            def client():
                while not ended.wait(0.2):
                    for method, path, body in (
                        ("POST", "/api/1/composes/", of_repository(TESTS_REPO, "ed", flags=["no_reuse"])), ("GET", "/api/1/composes/", None)
                    ):
                        try:
                            answer = service.once(method, path, body)
                        except OSError as error:
                            statuses[method, type(error).__name__] = statuses.get((method, type(error).__name__), 0) + 1
                            continue
                        statuses[method, answer.status] = statuses.get((method, answer.status), 0) + 1
                        if method == "POST" and answer.status == 200:
                            accepted.append(answer.json["id"])

            thread = threading.Thread(target=client, daemon=True)
            thread.start()
            time.sleep(2)
            with open(f"{disk}/fill", "wb", buffering=0) as stream, contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(1 << 12))
            time.sleep(scenario.amount(20, 6))
            os.remove(f"{disk}/fill")
            began = time.monotonic()
            compose = service.submit(of_repository(TESTS_REPO, "ed", flags=["no_reuse"]))
            accepted.append(compose)
            service.when(compose, "done")
            took = time.monotonic() - began
            ended.set()
            thread.join()
            states = {}
            for compose in accepted:
                state = service.ends(compose)["state_name"]
                states[state] = states.get(state, 0) + 1
            scenario.note(
                "answers: " + ", ".join(f"{method} {status} {count} times" for (method, status), count in sorted(statuses.items()))
                + f". With room again, a compose is done after {took:.1f} s. Of {len(accepted)}: {states}"
            )
            left = os.listdir(f"{service.target}/.work")
            if left:
                raise Lost(f"directories of attempts: {left}")
            if not set(status for _, status in statuses) <= {200, 503}:
                raise Lost(f"answers {statuses}")
            service.stop()
            if service.frontends[0].ends != [0]:
                raise Lost(f"the service ended with {service.frontends[0].ends}")
            if scenario.left_processes:
                raise Lost(f"processes are left over: {scenario.left_processes}")
