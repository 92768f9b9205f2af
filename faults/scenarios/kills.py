"""Workers and frontends are killed while composes are made."""
import random
import threading
import time

from load import Load
from service import TESTS_REPO, WITHOUT_RIGHTS_OF_ROOT, of_repository
from sources import Repository
from table import seconds


def run(scenario):
    """1,000 composes while a random worker or frontend gets SIGKILL every 2 seconds."""
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 2, "workers": 3}, refuses=97)
    service = scenario.service(cluster.address(), **options)
    with service:
        follower = scenario.follower(service)
        load = Load(service, scenario.amount(1000, 40), scenario.seed).start()
        dice = random.Random(scenario.seed)
        kills = {"frontend": 0, "worker": 0}
        ended = 0
        least = scenario.amount(20, 5)
        while load.runs or sum(kills.values()) < least:
            began = time.monotonic()
            # What has ended without being asked to has trapped.
            ended += sum(not process.runs for process in service.processes)
            victim = dice.choice(service.processes)
            victim.kill()
            kills[victim.role] += 1
            # The host's service manager starts it again.
            victim.start(ready=False)
            time.sleep(max(0, 2 - (time.monotonic() - began)))
        load.join()
        for process in service.processes:
            process.when_ready()
        scenario.note(f"{load.summary}, {kills['worker']} workers and {kills['frontend']} frontends killed")
        checker = scenario.checker(service, cluster)
        checker.must(ended == 0, f"{ended} processes had ended by themselves")
        summary = checker.all(load.accepted, webhook, follower)
        lost = cluster.number("odcs", "SELECT count(*) FROM odcs.attempts WHERE outcome = 'lost'")
        scenario.note(f"{summary}, {lost} attempts lost and made again, {follower.connections} connections of the stream")


def takeover(scenario):
    """The time from SIGKILL of a worker until another one begins its compose, with the default settings."""
    cluster = scenario.cluster()
    repository = Repository(TESTS_REPO)
    scenario.on_close(repository.close)
    settings = {"sources": {"allowed_urls": [repository.url]}, "worker": {}}
    service = scenario.service(cluster.address(), frontends=1, workers=2, settings=settings)
    times = []
    with service:
        composes = []
        for _ in range(scenario.amount(20, 3)):
            with repository.held("Packages/ed-1.20-3.x86_64.rpm"):
                compose = service.submit(of_repository(repository.fresh(), "ed", flags=["no_reuse"]))
                composes.append(compose)
                repository.when_held()
                holder = cluster.query("odcs", f"SELECT worker FROM odcs.attempts WHERE compose_id = {compose} AND ended_at IS NULL")[0][0]
                victim = next(worker for worker in service.workers if worker.configuration.endswith(f"/{holder}.yaml"))
                began = time.monotonic()
                victim.kill()
                while cluster.number("odcs", f"SELECT count(*) FROM odcs.attempts WHERE compose_id = {compose}") < 2:
                    if time.monotonic() - began > 60:
                        raise RuntimeError(f"compose {compose} was not taken over in a minute")
                    time.sleep(0.02)
                times.append(time.monotonic() - began)
            service.ends(compose)
            victim.start()
        checker = scenario.checker(service, cluster)
        scenario.note(f"takeover after SIGKILL: {seconds(times)}")
        # The median of a few samples on a busy host says little. Then only the lease is a bound.
        if len(times) >= 20:
            checker.must(sorted(times)[len(times) // 2] <= 3.5, "the median of the takeover is more than 3.5 s")
        checker.must(max(times) <= 16, "the longest takeover is more than the lease and one second")
        checker.all(composes)


def graceful(scenario):
    """Frontends without rights of root are restarted one after the other with SIGTERM. All requests are answered."""
    cluster = scenario.cluster()
    service = scenario.service(cluster.address(), frontends=2, workers=1)
    for frontend in service.frontends:
        frontend.wrapper = WITHOUT_RIGHTS_OF_ROOT
    with service:
        ended = threading.Event()
        answered, unanswered, accepted = [0], [], []

        def client(number):
            turn = 0
            while not ended.is_set():
                turn += 1
                try:
                    if turn % 5 == 0:
                        body = of_repository(TESTS_REPO, "libed-data")
                        answer = service.once("POST", "/api/1/composes/", body)
                        if answer.status == 200:
                            accepted.append(answer.json["id"])
                    else:
                        answer = service.once("GET", "/api/1/composes/?per_page=5")
                    if answer.status == 200:
                        answered[0] += 1
                    else:
                        unanswered.append(f"{answer.status} {answer.body[:100]}")
                except Exception as error:
                    unanswered.append(repr(error))

        clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(4)]
        for thread in clients:
            thread.start()
        times, undrained = [], 0
        for _ in range(scenario.amount(10, 2)):
            for frontend in service.frontends:
                times.append(frontend.stop())
                undrained += "could not stop new connections" in frontend.said()
                frontend.start()
        ended.set()
        for thread in clients:
            thread.join()
        scenario.note(f"{len(times)} graceful restarts ({seconds(times)}): {answered[0]} requests answered, {len(unanswered)} not")
        checker = scenario.checker(service, cluster)
        checker.must(not undrained, f"{undrained} frontends could not stop new connections before their end")
        checker.must(not unanswered, f"requests without an answer: {len(unanswered)}, for example {unanswered[:2]}")
        checker.all(accepted)
