"""A proxy that records the requests and answers between a client and the server."""

import http.client
import threading
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Exchange:
    """A request, and the status of its answer."""

    method: str
    path: str
    headers: Message
    body: bytes
    status: int


class Wire:
    """A proxy that passes every request on to the server unchanged, and keeps a record of it.

    The server learns the proxy's address from the Host header and puts it into the URLs of its answers.
    So a client that follows these URLs uses the proxy again.
    """

    def __init__(self, server):
        self.exchanges = []
        self._server = urlsplit(server).netloc
        self._spoiled = []
        self._changed = threading.Condition()
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()

    @property
    def url(self):
        """The proxy's URL. The published client sends no credentials if the URL contains `localhost`."""
        return f"http://localhost:{self._proxy.server_port}/"

    @property
    def url_by_number(self):
        return f"http://127.0.0.1:{self._proxy.server_port}/"

    def close(self):
        self._proxy.shutdown()
        self._proxy.server_close()

    def refuse_next(self, status):
        """Makes the proxy answer the next request with `status`. That request does not reach the server."""
        self._spoiled.append((status, False))

    def lose_next_answer(self, status):
        """Makes the proxy drop the server's answer to the next request. The client gets `status` instead."""
        self._spoiled.append((status, True))

    def wait_for(self, condition, timeout=90):
        """Waits until an exchange meets `condition`, at most `timeout` seconds, and returns the exchange."""

        def found():
            return next((exchange for exchange in self.exchanges if condition(exchange)), None)

        with self._changed:
            assert self._changed.wait_for(found, timeout), f"not on the wire in {timeout} s: {self.lines}"
            return found()

    @property
    def lines(self):
        return [f"{exchange.method} {exchange.path} {exchange.status}" for exchange in self.exchanges]

    def _handler(wire):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, reaches_server = wire._spoiled.pop(0) if wire._spoiled else (None, True)
                headers, answer = [("Content-Type", "text/plain")], b"spoiled on the wire"
                if reaches_server:
                    real_status, real_headers, real_answer = self.forward(body)
                    if status is None:
                        status, headers, answer = real_status, real_headers, real_answer
                with wire._changed:
                    wire.exchanges.append(Exchange(self.command, self.path, self.headers, body, status))
                    wire._changed.notify_all()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def forward(self, body):
                connection = http.client.HTTPConnection(wire._server, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                connection.request(self.command, self.path, body or None, headers)
                response = connection.getresponse()
                answer = response.read()
                connection.close()
                kept = [
                    (name, value)
                    for name, value in response.getheaders()
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server")
                ]
                return response.status, kept, answer

            def log_message(self, *arguments):
                pass

        return Handler
