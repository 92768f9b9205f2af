"""Receivers of events that are slow or away, and many readers of streams, while processes end."""
import asyncio
import base64
import hashlib
import hmac
import os
import random
import resource
import threading
import time

from checks import in_order
from receivers import Webhook
from service import TESTS_REPO, of_repository


def three_receivers(scenario):
    """One receiver checks the signatures, one takes its time, and one is off, while workers are killed.

    500 composes and 9 seconds for each message (`--slow 9`) take an hour.
    """
    cluster = scenario.cluster()
    secret = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    secrets = f"{scenario.directory}/secret"
    with open(secrets, "w") as stream:
        stream.write(f"{secret}\n")
    os.chmod(secrets, 0o644)
    unsigned = []

    def is_signed(headers, body):
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        code = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
        if f"v1,{base64.b64encode(code).decode()}" in headers["webhook-signature"].split():
            return True
        unsigned.append(headers["webhook-id"])
        return False

    def take_time(_headers, _body):
        time.sleep(scenario.options.slow)
        return True

    verifying, slow, off = Webhook(judge=is_signed), Webhook(judge=take_time), Webhook()
    # Nothing listens at the address of this one until the composes have ended.
    address = off.url
    off.close()
    for receiver in (verifying, slow):
        scenario.on_close(receiver.close)
    subscribers = {"verifying": {"url": verifying.url, "secret_file": secrets}, "slow": {"url": slow.url}, "away": {"url": address}}
    service = scenario.service(cluster.address(), frontends=1, workers=3, settings={"events": {"subscribers": subscribers}})
    with service:
        follower = scenario.follower(service)
        submission = Submission(service, scenario.amount(500, 15))
        dice = random.Random(scenario.seed)
        kills = 0
        while submission.runs or cluster.number("odcs", "SELECT count(*) FROM odcs.composes WHERE state IN (0, 1)") or kills < 3:
            victim = dice.choice(service.workers)
            victim.kill()
            victim.start(ready=False)
            kills += 1
            time.sleep(3)
        composes = submission.end()
        for process in service.processes:
            process.when_ready()
        checker = scenario.checker(service, cluster)
        checker.wait_until_final()
        count = cluster.number("odcs", "SELECT count(*) FROM odcs.events")
        scenario.note(f"{len(composes)} composes, {count} events, {kills} workers killed")
        checker.must(
            checker.wait_until(lambda: len(verifying.first_times()) == count, 120), "the receiver that checks signatures waits for others")
        checker.must(not unsigned, f"messages without a right signature: {unsigned[:3]}")
        off = Webhook(port=int(address.split(":")[2].split("/")[0]))
        scenario.on_close(off.close)
        began = time.monotonic()
        # It rests for at most five minutes.
        checker.must(checker.wait_until(lambda: len(off.first_times()) >= count, 420), f"the one that was off has {len(off.first_times())}")
        scenario.note(f"the receiver that was off had all events {time.monotonic() - began:.0f} s after its return")
        patience = 300 + count * scenario.options.slow / 2
        checker.must(checker.wait_until(lambda: len(slow.first_times()) >= count, patience), f"the slow one has {len(slow.first_times())}")
        stored = in_order(("compose", int(id), int(state)) for id, state in checker.query("SELECT compose_id, state FROM events ORDER BY id"))
        for name, receiver in [("the verifying receiver", verifying), ("the slow receiver", slow), ("the one that was off", off)]:
            checker.differences(name, stored, in_order(receiver.first_times()))
            scenario.note(f"{name}: {len(receiver.first_times())} events, {len(receiver.accepted) - len(receiver.first_times())} came again")
        scenario.note(checker.all(composes, verifying, follower))


class Submission:
    """Clients that submit composes, each of which is built."""

    def __init__(self, service, count, clients=4):
        self._service, self._composes, self._problems = service, [], []
        shares = [count // clients + (i < count % clients) for i in range(clients)]
        self._threads = [threading.Thread(target=self._run, args=(share,), daemon=True) for share in shares]
        for thread in self._threads:
            thread.start()

    @property
    def runs(self):
        return any(thread.is_alive() for thread in self._threads)

    def end(self):
        """Waits for the last one. Returns the ids of the composes."""
        for thread in self._threads:
            thread.join()
        if self._problems:
            raise self._problems[0]
        return self._composes

    def _run(self, share):
        try:
            for _ in range(share):
                body = of_repository(TESTS_REPO, "ed", flags=["no_reuse"], seconds_to_live=7200)
                self._composes.append(self._service.submit(body))
        except Exception as error:
            self._problems.append(error)


def streams(scenario):
    """1,000 readers of the stream of all events, over a graceful restart and a SIGKILL of the frontend."""
    readers = scenario.amount(1000, 100)
    # Each process inherits the limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    scenario.on_close(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    cluster = scenario.cluster()
    settings = {
        "frontend": {"max_connections": 4 * readers + 100},
        "events": {"max_streams": 2 * readers, "max_streams_per_caller": 2 * readers},
    }
    service = scenario.service(cluster.address(), frontends=1, workers=2, settings=settings)
    with service:
        frontend = service.frontends[0]
        crowd = Crowd(readers, frontend.port)
        scenario.on_close(crowd.close)
        checker = scenario.checker(service, cluster)
        checker.must(checker.wait_until(lambda: crowd.open == readers, 120), f"only {crowd.open} readers are connected")
        composes = Submission(service, scenario.amount(30, 10)).end()
        frontend.stop()
        frontend.start()
        composes += Submission(service, scenario.amount(30, 10)).end()
        frontend.kill()
        frontend.start()
        composes += Submission(service, scenario.amount(30, 10)).end()
        checker.wait_until_final()
        last = cluster.number("odcs", "SELECT max(position) FROM odcs.events")
        began = time.monotonic()
        checker.wait_until(lambda: crowd.least >= last, 300)
        scenario.note(f"{readers} readers, {last} events, {crowd.connections} connections, the last reader was complete "
                      f"{time.monotonic() - began:.1f} s after the last compose")
        expected = list(range(1, last + 1))
        wrong = [reader for reader, ids in enumerate(crowd.seen) if ids != expected]
        checker.must(not wrong, f"{len(wrong)} readers missed an event or got one twice, the first is {wrong[:1]}")
        crowd.close()
        scenario.note(checker.all(composes))


class Crowd:
    """Many readers of the stream of all events, each with a connection of its own. Each connects again with
    the position of its last event."""

    def __init__(self, readers, port):
        # The positions that each reader has got, in their order.
        self.seen = [[] for _ in range(readers)]
        self.open = self.connections = 0
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def least(self):
        """The last position that all readers have."""
        return min(ids[-1] if ids else 0 for ids in self.seen)

    def close(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        tasks = [self._loop.create_task(self._read(ids)) for ids in self.seen]
        self._loop.run_forever()
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _read(self, ids):
        while True:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
                writer.write(
                    b"GET /api/1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
                    b"Last-Event-ID: %d\r\n\r\n" % (ids[-1] if ids else 0))
                if b" 200 " in await reader.readline():
                    self.connections += 1
                    self.open += 1
                    try:
                        await self._take(reader, ids)
                    finally:
                        self.open -= 1
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                if writer:
                    writer.close()
            await asyncio.sleep(random.uniform(0.2, 1))

    async def _take(self, reader, ids):
        position = None
        # The lengths of the chunks, and the lines of other fields, are no lines of events.
        while line := await reader.readline():
            if line.startswith(b"id: "):
                position = int(line[4:])
            elif line.startswith(b"event: reset"):
                raise AssertionError("the stream began anew")
            elif line == b"\n" and position is not None:
                ids.append(position)
                position = None
