"""A gate before the brokers of librdkafka's test cluster, which have neither TLS nor logins.

It ends TLS, and asks for a login with PLAIN or SCRAM (RFC 5802) as Kafka's protocol has it. What a client says afterwards goes to the
broker behind the gate. Each broker has a gate, and the addresses that brokers give to clients are replaced by those of the gates.
"""

import base64
import hashlib
import hmac
import os
import socket
import socketserver
import ssl
import struct
import threading

API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 33, 58
HOST = b"127.0.0.1"


def address(port):
    """A host and a port as brokers write them."""
    return HOST + struct.pack(">i", port)


class Gates:
    def __init__(self, kafka, certificate, user, password):
        """Opens a gate for each broker. `brokers` then has their addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.context, self.user, self.password = context, user, password
        self.mechanisms = set()
        self.servers = []
        self.ports = {}
        for broker in kafka.brokers:
            server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
            server.daemon_threads = True
            server.gates, server.broker = self, int(broker.rsplit(":", 1)[1])
            self.ports[server.broker] = server.server_address[1]
            self.servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.brokers = [f"127.0.0.1:{port}" for port in self.ports.values()]

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def outward(self, frame):
        for broker, gate in self.ports.items():
            frame = frame.replace(address(broker), address(gate))
        return frame


class Session(socketserver.BaseRequestHandler):
    """One connection of a client."""

    def handle(self):
        try:
            self.client = self.server.gates.context.wrap_socket(self.request, server_side=True)
            self.broker = socket.create_connection(("127.0.0.1", self.server.broker))
            if self.login():
                threading.Thread(target=self.pass_answers, daemon=True).start()
                while frame := read(self.client):
                    write(self.broker, frame)
            self.broker.close()
        except (OSError, struct.error):
            pass  # A client that does not trust the certificate, or goes away, is what some tests want.

    def pass_answers(self):
        try:
            while frame := read(self.broker):
                write(self.client, self.server.gates.outward(frame))
        except OSError:
            pass
        self.client.close()

    def login(self):
        """Answers until the client has logged in. Returns whether it has."""
        exchange = None
        while frame := read(self.client):
            key, _, correlation, length = struct.unpack(">hhih", frame[:10])
            body = frame[10 + max(length, 0):]
            if key == API_VERSIONS:
                write(self.broker, frame)
                write(self.client, with_logins(read(self.broker)))
            elif key == SASL_HANDSHAKE:
                mechanism = body[2:].decode()
                known = mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
                exchange = Exchange(mechanism, self.server.gates) if known else None
                error = 0 if known else UNSUPPORTED_MECHANISM
                write(self.client, struct.pack(">ihih", correlation, error, 1, len(mechanism)) + mechanism.encode())
            elif key == SASL_AUTHENTICATE and exchange:
                answer = exchange.answer(body[4:])
                if answer is None:
                    text = b"Authentication failed: wrong user or password"
                    write(self.client, struct.pack(">ihh", correlation, AUTHENTICATION_FAILED, len(text)) + text + struct.pack(">i", 0))
                    return False
                write(self.client, struct.pack(">ihhi", correlation, 0, -1, len(answer)) + answer)
                if exchange.is_over:
                    self.server.gates.mechanisms.add(exchange.mechanism)
                    return True
            else:
                return False
        return False


class Exchange:
    """The messages of one login, as the broker sees them."""

    def __init__(self, mechanism, gates):
        self.mechanism, self.user, self.password = mechanism, gates.user, gates.password
        self.is_over = False
        self.first = self.challenge = None

    def answer(self, message):
        """Returns the answer, or `None` if the login failed."""
        if self.mechanism == "PLAIN":
            self.is_over = message == b"\0" + self.user.encode() + b"\0" + self.password.encode()
            return b"" if self.is_over else None
        return self.begin(message) if self.challenge is None else self.end(message)

    def begin(self, message):
        self.first = message.removeprefix(b"n,,")
        fields = dict(part.split(b"=", 1) for part in self.first.split(b","))
        if fields[b"n"].decode() != self.user:
            return None
        self.salt = os.urandom(16)
        nonce = fields[b"r"] + base64.b64encode(os.urandom(18))
        self.challenge = b"r=" + nonce + b",s=" + base64.b64encode(self.salt) + b",i=4096"
        return self.challenge

    def end(self, message):
        name = self.mechanism.removeprefix("SCRAM-").replace("-", "").lower()

        def code(key, text):
            return hmac.digest(key, text, name)

        rest, proof = message.rsplit(b",p=", 1)
        salted = hashlib.pbkdf2_hmac(name, self.password.encode(), self.salt, 4096)
        everything = b",".join((self.first, self.challenge, rest))
        key = code(salted, b"Client Key")
        signature = code(hashlib.new(name, key).digest(), everything)
        expected = bytes(a ^ b for a, b in zip(key, signature))
        self.is_over = hmac.compare_digest(expected, base64.b64decode(proof))
        return b"v=" + base64.b64encode(code(code(salted, b"Server Key"), everything)) if self.is_over else None


def with_logins(frame):
    """Adds the two requests of logins to the answer that lists the requests that a broker knows."""
    error, begin = struct.unpack(">h", frame[4:6])[0], frame[6:]
    if error or begin[:2] == b"\0\0":
        # The first version, which a broker also takes if it does not know a later one, has a length of four bytes.
        count = struct.unpack(">i", begin[:4])[0]
        more = struct.pack(">hhhhhh", SASL_HANDSHAKE, 0, 1, SASL_AUTHENTICATE, 0, 0)
        return frame[:6] + struct.pack(">i", count + 2) + more + begin[4:]
    # Later versions have a length of one byte, and each entry ends with a byte for further fields.
    more = struct.pack(">hhhBhhhB", SASL_HANDSHAKE, 0, 1, 0, SASL_AUTHENTICATE, 0, 0, 0)
    return frame[:6] + bytes([begin[0] + 2]) + more + begin[1:]


def read(connection):
    """The next frame, or `None` at the end."""
    size = exactly(connection, 4)
    return size and exactly(connection, struct.unpack(">i", size)[0])


def exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            return None
        data += piece
    return data


def write(connection, frame):
    connection.sendall(struct.pack(">i", len(frame)) + frame)
