"""A stranger uses all that the limits allow. Everybody else is answered meanwhile."""
import socket
import time

from ports import free_port
from service import TESTS_REPO, Visitor, of_repository
from table import seconds


def run(scenario):
    """Slow connections, huge bodies, many streams, and many composes of one address.

    The stranger has the address 127.0.0.2. The others come through a proxy with 127.0.0.1, which names
    their address.
    """
    cluster = scenario.cluster()
    limits = {
        "frontend": {
            "waiting_per_caller": 50, "watches_per_caller": 5, "max_connections": 200, "request_seconds": 5,
            "trusted_proxies": ["127.0.0.1"],
        },
        "events": {"max_streams": 40, "max_streams_per_caller": 20},
        # Watches need a hub. None answers at this port.
        "koji": {"hub": f"http://127.0.0.1:{free_port()}/kojihub", "topurl": "http://127.0.0.1/kojifiles"},
    }
    service = scenario.service(cluster.address(), frontends=1, workers=1, settings=limits)
    with service:
        port = service.frontends[0].port
        checker = scenario.checker(service, cluster)
        composes, renewals = [], []
        with Visitor(service) as visitor:
            idle = [_connect(port) for _ in range(300)]
            time.sleep(1)
            for connection in idle:
                connection.close()
            scenario.note(f"300 idle connections, of which 200 may be open: {seconds(visitor.times)}")

            # Bodies that drip, and that are too large.
            slow = [_connect(port) for _ in range(50)]
            for connection in slow:
                connection.sendall(b"POST /api/1/composes/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
            begun = time.monotonic()
            ended = [_closed_after(connection, begun, 30) for connection in slow]
            checker.must(max(ended) < 20, "a body that drips was waited for")
            statuses = {_answer(port, b"POST", b"/api/1/composes/", b"x" * (2 << 20)) for _ in range(5)}
            statuses |= {_answer(port, b"POST", b"/api/1/composes/", b"[" * 500000) for _ in range(5)}
            checker.must(statuses <= {400, 413, None}, f"huge bodies were answered {statuses}")
            scenario.note(f"50 bodies that drip end after at most {max(ended):.1f} s, huge ones get {sorted(map(str, statuses))}")

            streams = [_stream(port) for _ in range(60)]
            refused = sum(status == 429 for _, status in streams)
            checker.must(refused >= 40, f"{60 - refused} streams of one address, of which 20 are allowed")
            scenario.note(f"60 streams of one address, {refused} were refused")
            other = service.once("GET", "/api/1/events?after=0&wait=1", headers={"X-Forwarded-For": "192.0.2.9"})
            checker.must(other.status == 200, f"a stream of another address was answered {other.status}")
            for connection, _ in streams:
                connection.close()

            # A fast worker would make the composes as they come, and none would wait.
            service.workers[0].freeze()
            flood = {}
            for _ in range(scenario.amount(200, 100)):
                headers = {"X-Forwarded-For": "192.0.2.66"}
                # Each compose has other packages, so nothing is shared.
                answer = service.once("POST", "/api/1/composes/", of_repository(TESTS_REPO, "ed", flags=["no_reuse"]), headers)
                flood[answer.status] = flood.get(answer.status, 0) + 1
                if answer.status == 200:
                    composes.append(answer.json["id"])
            service.workers[0].thaw()
            checker.must(flood.get(429, 0) > 0, f"composes of one address were answered {flood}")
            began = time.monotonic()
            answer = service.once(
                "POST", "/api/1/composes/", of_repository(TESTS_REPO, "libed-data", flags=["no_reuse"]), {"X-Forwarded-For": "192.0.2.7"}
            )
            checker.must(answer.status == 200, f"the compose of another address was answered {answer.status}")
            composes.append(answer.json["id"])
            service.ends(composes[-1])
            scenario.note(
                f"{sum(flood.values())} composes of one address: {flood.get(429, 0)} refused. One of another address is done in {time.monotonic() - began:.1f} s"
            )
            for compose in composes[:-1]:
                service.call("DELETE", f"/api/1/composes/{compose}")
            watched, watches = {}, []
            for number in range(20):
                body = {"source": {"type": "tag", "source": f"tag-{number}", "packages": ["bash"]}}
                answer = service.once("POST", "/api/1/watches/", body, {"X-Forwarded-For": "192.0.2.67"})
                watched[answer.status] = watched.get(answer.status, 0) + 1
                if answer.status == 200:
                    watches.append(answer.json["id"])
            checker.must(watched == {200: 5, 429: 15}, f"20 watches of one address, of which 5 are allowed, were answered {watched}")
            for watch in watches:
                service.call("DELETE", f"/api/1/watches/{watch}")

            composes.append(service.submit(of_repository(TESTS_REPO, "no-such-package", flags=["no_reuse"])))
            service.when(composes[-1], "failed")
            renewed = {}
            for _ in range(80):
                answer = service.once("PATCH", f"/api/1/composes/{composes[-1]}", {}, {"X-Forwarded-For": "192.0.2.68"})
                renewed[answer.status] = renewed.get(answer.status, 0) + 1
                if answer.status == 200:
                    renewals.append(answer.json["id"])
            checker.must(renewed.get(429, 0) > 0, f"80 renewals of one compose were answered {renewed}")
            scenario.note(f"20 watches of one address, {watched.get(429, 0)} refused. 80 renewals of one compose, {renewed.get(429, 0)} refused.")
            composes += renewals
        checker.must(not visitor.failures, f"others were not answered: {visitor.failures[:2]}")
        checker.must(max(visitor.times) < 10, "another client waited for more than 10 s")
        scenario.note(f"{len(visitor.times)} requests of others: {seconds(visitor.times)}, {len(visitor.failures)} without an answer")
        scenario.note(checker.all(composes))


def _connect(port):
    """Connects from another address of this host."""
    connection = socket.socket()
    connection.settimeout(60)
    connection.bind(("127.0.0.2", 0))
    connection.connect(("127.0.0.1", port))
    return connection


def _closed_after(connection, begun, patience):
    connection.settimeout(patience)
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return patience
    return time.monotonic() - begun


def _answer(port, method, path, body):
    """Returns the status, or None if the connection was closed."""
    with _connect(port) as connection:
        try:
            connection.sendall(method + b" " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        except ConnectionError:
            pass
        try:
            answer = connection.recv(4096)
        except ConnectionError:
            return None
        return int(answer.split()[1]) if answer else None


def _stream(port):
    connection = _connect(port)
    connection.sendall(b"GET /api/1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    answer = connection.recv(4096)
    return connection, int(answer.split()[1]) if answer else None
