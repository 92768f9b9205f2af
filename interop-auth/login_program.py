"""The program that nginx asks about each request, in the example with `auth_request`.

    python login_program.py PASSWORD_FILE GROUPS_FILE

Every person has the same password. A request without credentials is that of a stranger, who may read.
"""

import base64
import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PASSWORD = Path(sys.argv[1]).read_text().strip()
GROUPS = json.loads(Path(sys.argv[2]).read_text())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        user = ""
        if kind:
            user, _, password = base64.b64decode(text).decode().partition(":")
            if kind != "Basic" or not secrets.compare_digest(password, PASSWORD):
                self.send_response(401)
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_response(200)
        if user:
            self.send_header("X-User", user)
            self.send_header("X-Groups", ", ".join(GROUPS[user]))
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(ThreadingHTTPServer):
    request_queue_size = 100
    daemon_threads = True


server = Server(("127.0.0.1", 4180), Handler)
print("the login program is ready", flush=True)
server.serve_forever()
