"""Workers whose clocks are an hour apart share one queue."""
import os
import subprocess
import time

from load import Load

SOURCE = f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/clock.c"
OFFSETS = {"worker-1": 3600, "worker-2": -3600}


def run(scenario):
    """One worker is an hour ahead, one an hour behind. One of them is killed."""
    library = f"{scenario.directory}/clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    shifted = {"LD_PRELOAD": library, "CLOCK_OFFSET": "3600"}
    shown = int(subprocess.run(["date", "+%s"], env={**os.environ, **shifted}, capture_output=True, text=True, check=True).stdout)
    if abs(shown - time.time() - 3600) > 60:
        raise RuntimeError("the clock does not move")
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 1, "workers": 3})
    environments = {name: {"LD_PRELOAD": library, "CLOCK_OFFSET": str(offset)} for name, offset in OFFSETS.items()}
    service = scenario.service(cluster.address(), environments=environments, **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, scenario.amount(200, 40), scenario.seed, clients=3).start()
        time.sleep(3)
        service.workers[1].kill()
        service.workers[1].start()
        load.join()
        scenario.note(load.summary)
        checker = scenario.checker(service, cluster)
        made = checker.query("SELECT worker, count(*) FROM attempts WHERE outcome IN ('done', 'joined') GROUP BY 1 ORDER BY 1")
        scenario.note("composes by worker: " + ", ".join(f"{name} {count}" for name, count in made))
        checker.must(len(made) == 3, "a worker with another clock made no compose")
        checker.none(
            "SELECT lease_token FROM attempts WHERE outcome = 'lost' AND worker <> 'worker-1'", "workers that run lost their leases")
        checker.wait_until_final()
        checker.none(
            "SELECT id FROM composes WHERE state = 3 AND removed_by IS NULL"
            " AND abs(extract(epoch FROM time_removed - time_to_expire)) > 60", "composes that expired at another time than they should")
        scenario.note(checker.all(load.accepted, webhook, follower))
