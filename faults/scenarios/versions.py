"""Two versions of the server on one database: an upgrade while old workers run."""
import json
import os
import shutil
import time

from load import Load
from scenario import Skipped


def run(scenario):
    """Old frontends and workers make composes. The database is migrated, new processes start, old ones stop."""
    if not scenario.options.old:
        raise Skipped("--old names no older odcs-server")
    cluster = scenario.cluster()
    # Both versions share the directories, the database and the address of the new frontend.
    new = scenario.service(cluster.address(), frontends=1, workers=2)
    for process in new.processes:
        process.configuration, process.log = _renamed(process.configuration), _renamed(process.log)
    settings = {"frontend": {"public_url": new.settings["frontend"]["public_url"]}}
    old = scenario.service(cluster.address(), program=scenario.options.old, frontends=1, workers=2, settings=settings)
    for process in old.processes:
        _keep_old_settings(process.configuration)
    scenario.on_close(new.__exit__)
    with old:
        load = Load(old, 1 << 30, scenario.seed, clients=2, pace=0.3).start()
        time.sleep(5)
        before = len(load.accepted)
        version = _version(cluster)
        new.frontends[0].start()
        migrated = _version(cluster)
        time.sleep(5)
        # Only old workers run until now.
        between = len(load.accepted)
        for worker in new.workers:
            worker.start()
        time.sleep(3)
        for worker in old.workers:
            worker.stop()
        load.stop()
        more = Load(new, 30, scenario.seed + 1, clients=2).start()
        more.join()
        old.frontends[0].stop()
        scenario.note(
            f"schema {version} to {migrated}: {before} composes before, {between - before} by old workers afterwards,"
            f" {len(load.accepted) - between} by both, {len(more.accepted)} by new ones"
        )
        checker = scenario.checker(new, cluster)
        # Events of the old version have no position.
        checker.must(all(process.ends == [0] for process in old.processes), "an old process did not end well")
        checker.none(
            "SELECT a.compose_id FROM attempts a WHERE outcome = 'retry' AND worker LIKE 'worker-%'", "attempts that failed unexpectedly")
        scenario.note(checker.all(load.accepted + more.accepted, positions=False))


def _keep_old_settings(configuration):
    """Removes the settings that the first versions do not know. They have no limits for callers."""
    with open(configuration) as stream:
        settings = json.load(stream)
    for name in ("waiting_per_caller", "watches_per_caller"):
        del settings["frontend"][name]
    with open(configuration, "w") as stream:
        json.dump(settings, stream)


def _version(cluster):
    return cluster.number("odcs", "SELECT max(version) FROM odcs.schema_version")


def _renamed(path):
    """Returns the path of a file of the new version, and copies a configuration there."""
    folder, _, name = path.rpartition("/")
    renamed = f"{folder}/new-{name}"
    if os.path.exists(path) and path.endswith(".yaml"):
        shutil.copy(path, renamed)
    return renamed
