"""Sources that hang, drip, are cut, change in the middle, or lose a file, while others are served."""
import os
import re
import time

from service import TESTS_REPO, of_repository
from sources import Repository

PACKAGE = "Packages/libed-data-1.1-2.noarch.rpm"


def run(scenario):
    """Each fault once in the metadata and once in a package. Composes of a good source are made meanwhile."""
    cluster = scenario.cluster()
    repository = Repository(TESTS_REPO)
    scenario.on_close(repository.close)
    webhook, options = scenario.subscribers({"frontends": 1, "workers": 2, "settings": {
        "sources": {"allowed_urls": [repository.url]}, "worker": {"attempts": 2, "retry_seconds": 1},
    }})
    service = scenario.service(cluster.address(), **options)
    primary = _primary()
    with service:
        bad, good, waits, reasons = [], [], [], {}
        slow = [("hangs", repository.hangs), ("drips", repository.drips)]
        fast = [("is cut", repository.cuts), ("is lost", repository.is_missing), ("has changed", repository.has_changed)]
        for path, what in ((PACKAGE, "a package"), (primary, "primary.xml"), ("repodata/repomd.xml", "repomd.xml")):
            for name, fault in fast:
                if (path, name) == ("repodata/repomd.xml", "has changed"):
                    continue  # Another repomd.xml is another repository.
                repository.faults = {path: fault}
                compose = service.submit(of_repository(repository.fresh(), "libed-data", flags=["no_reuse"]))
                bad.append(compose)
                good.append(_good(service, waits))
                shown = service.ends(compose)
                reasons[f"{what} {name}"] = shown["state_name"]
                if shown["state_name"] != "failed" or not shown["state_reason"]:
                    raise RuntimeError(f"{what} {name}, and the compose is {shown['state_name']}")
        # Slow sources take as many composes as there are slots, and others come first.
        for name, fault in slow:
            for path in (PACKAGE, primary):
                repository.faults = {path: fault}
                slowed = [service.submit(of_repository(repository.fresh(), "libed-data", flags=["no_reuse"])) for _ in range(5)]
                bad += slowed
                time.sleep(1)
                good.append(_good(service, waits, 120))
                for compose in slowed:
                    status = service.call("DELETE", f"/api/1/composes/{compose}").status
                    if status not in (200, 202):
                        raise RuntimeError(f"a compose of a source that {name} could not be canceled: {status}")
        repository.faults = {}
        # A file that is lost for a moment only.
        repository.faults = {PACKAGE: _once(repository, repository.cuts)}
        compose = service.submit(of_repository(repository.fresh(), "libed-data", flags=["no_reuse"]))
        good.append(compose)
        checker = scenario.checker(service, cluster)
        for compose in good:
            shown = service.ends(compose)
            checker.must(shown["state_name"] == "done", f"a good compose is {shown['state_name']}: {shown['state_reason']}")
        scenario.note(f"{len(bad)} composes of bad sources, {len(good)} of good ones meanwhile, done in at most {max(waits):.1f} s")
        checker.must(max(waits) < 90, "a compose of a good source waited for a bad one")
        scenario.note(checker.all(bad + good, webhook))


def _good(service, waits, patience=60):
    began = time.monotonic()
    compose = service.submit(of_repository(TESTS_REPO, "ed-words", flags=["no_reuse"]))
    service.when(compose, "done", patience=patience)
    waits.append(time.monotonic() - began)
    return compose


def _once(repository, fault):
    def first(handler, body):
        repository.faults = {}
        return fault(handler, body)

    return first


def _primary():
    with open(os.path.join(TESTS_REPO, "repodata/repomd.xml")) as stream:
        return re.search(r'href="(repodata/[^"]*primary\.xml[^"]*)"', stream.read()).group(1)
