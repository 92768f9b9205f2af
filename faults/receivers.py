"""Receivers of events: an address for webhooks, and a follower of the stream of all events."""
import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler

from sources import QuietServer


class Webhook:
    """An HTTP server to which events are posted. It refuses one message in `refuses` with 503.

    `judge` gets the headers and the body of each message, and returns whether it is accepted. It may take
    its time.
    """

    def __init__(self, refuses=0, judge=None, port=0):
        # (webhook-id, object, state) in the order in which the messages were accepted.
        self.accepted = []
        self._lock = threading.Lock()
        self._count = 0
        self._refuses = refuses
        self._judge = judge
        self._server = QuietServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/events"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def first_times(self):
        """Returns the messages without those that came again."""
        seen, first = set(), []
        for id, *message in list(self.accepted):
            if id not in seen:
                seen.add(id)
                first.append(tuple(message))
        return first

    def _handler(webhook):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)
                accepted = webhook._judge is None or webhook._judge(self.headers, body)
                with webhook._lock:
                    webhook._count += 1
                    refused = not accepted or (webhook._refuses and webhook._count % webhook._refuses == 0)
                    if not refused:
                        kind = "build" if "build" in message else "compose"
                        changed = message[kind]
                        webhook.accepted.append((self.headers["webhook-id"], kind, changed["id"], changed["state"]))
                self.send_response(503 if refused else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler


class Follower:
    """A client that follows the stream of all events from the first one.

    If the stream breaks, it connects again, with the position of the last event that it has.
    """

    def __init__(self, service):
        # (position, object, id, state)
        self.events = []
        self.connections = 0
        self._service = service
        self._ended = threading.Event()
        self._last = 0
        self._turn = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._ended.set()
        self._thread.join(15)

    def _run(self):
        while not self._ended.is_set():
            frontends = self._service.frontends
            self._turn += 1
            port = frontends[self._turn % len(frontends)].port
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request(
                    "GET", "/api/1/events", headers={"Accept": "text/event-stream", "Last-Event-ID": str(self._last)}
                )
                answer = connection.getresponse()
                if answer.status == 200:
                    self.connections += 1
                    self._read(answer)
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.1)

    def _read(self, answer):
        fields = {}
        while not self._ended.is_set():
            line = answer.readline()
            if not line:
                return
            name, _, value = line.decode().rstrip("\n").partition(":")
            if name:
                fields[name] = value.strip()
            elif fields:
                self._take(fields)
                fields = {}

    def _take(self, fields):
        if fields.get("event") == "reset":
            self.events.append((None, "reset", None, None))
        elif "id" in fields and fields["id"].isdigit():
            message = json.loads(fields["data"])
            kind = "build" if "build" in message else "compose"
            self._last = int(fields["id"])
            self.events.append((self._last, kind, message[kind]["id"], message[kind]["state"]))
