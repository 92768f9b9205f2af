"""A small OpenID provider. A person who comes to its page is the person whose name the test has set."""

import base64
import hashlib
import json
import secrets
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def run(*command, input=None):
    return subprocess.run(command, input=input, check=True, capture_output=True).stdout


class Provider:
    def __init__(self, directory):
        self.person = "joe"
        # Claims that replace those of the next ID tokens.
        self.claims = {}
        self.codes = {}
        self.key = directory / "key.pem"
        run("openssl", "genrsa", "-out", str(self.key), "2048")
        modulus = run("openssl", "rsa", "-in", str(self.key), "-noout", "-modulus").decode().strip().split("=")[1]
        self.jwk = {"kty": "RSA", "use": "sig", "kid": "one", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self, {})

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                provider.answer(self, dict(parse_qsl(body)))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/main"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()

    def answer(self, handler, form):
        url = urlsplit(handler.path)
        query = dict(parse_qsl(url.query))
        match url.path.removeprefix("/main"):
            case "/.well-known/openid-configuration":
                document = {
                    "issuer": self.url,
                    "authorization_endpoint": self.url + "/auth",
                    "token_endpoint": self.url + "/token",
                    "jwks_uri": self.url + "/certs",
                }
            case "/certs":
                document = {"keys": [self.jwk]}
            case "/auth":
                assert query["response_type"] == "code" and query["code_challenge_method"] == "S256", query
                code = secrets.token_urlsafe(16)
                self.codes[code] = query
                location = query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})
                handler.send_response(302)
                handler.send_header("Location", location)
                handler.end_headers()
                return
            case "/token":
                begun = self.codes.pop(form.get("code"), None)
                challenge = base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
                if not begun or begun["code_challenge"] != challenge or begun["redirect_uri"] != form.get("redirect_uri"):
                    return self.say(handler, 400, {"error": "invalid_grant"})
                document = {"id_token": self.token(begun), "access_token": secrets.token_urlsafe(16), "token_type": "Bearer"}
            case _:
                return self.say(handler, 404, {})
        self.say(handler, 200, document)

    def token(self, begun):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.person,
            "aud": begun["client_id"],
            "exp": now + 300,
            "iat": now,
            "nonce": begun["nonce"],
            "preferred_username": self.person,
            "groups": ["releng"],
            **self.claims,
        }
        header = {"alg": "RS256", "kid": "one", "typ": "JWT"}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{base64url(run('openssl', 'dgst', '-sha256', '-sign', str(self.key), input=text.encode()))}"

    @staticmethod
    def say(handler, status, document):
        body = json.dumps(document).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
