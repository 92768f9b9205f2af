"""An OpenID provider for the tests, with three issuers. It is a program, so that a test can kill it.

    python openid_provider.py DIRECTORY ADDRESS

DIRECTORY has the files that remain when the provider is killed: `tls.pem` and `tls-key.pem`, the
signing key, `clients.json`, and the tokens without a signature.

The addresses are like those of Keycloak. The issuer /realms/main signs its tokens, /realms/fedora
gives random texts, and that of ci.example.test is a CI service. A person who comes to the page of a
login is joe, and needs no password.
"""

import base64
import hashlib
import json
import secrets
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

DIRECTORY = Path(sys.argv[1])
CLIENTS = json.loads((DIRECTORY / "clients.json").read_text())
KEY = DIRECTORY / "signing-key.pem"
TOKENS = DIRECTORY / "tokens"
PROTOCOL = "/protocol/openid-connect"
# The redirection URIs of the public client, which are those of the published command.
REDIRECTIONS = ["http://localhost:12345/", "http://localhost:9000/"]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def run(*command, input=None):
    return subprocess.run(command, input=input, check=True, capture_output=True).stdout


def public_key():
    modulus = bytes.fromhex(run("openssl", "rsa", "-in", str(KEY), "-noout", "-modulus").decode().strip().split("=")[1])
    return {"kty": "RSA", "use": "sig", "kid": "one", "n": base64url(modulus), "e": "AQAB"}


def signed(claims, key=KEY):
    header = {"alg": "RS256", "kid": "one", "typ": "JWT"}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{base64url(run('openssl', 'dgst', '-sha256', '-sign', str(key), input=text.encode()))}"


class Answer(Exception):
    """An answer that is not a success."""

    def __init__(self, status, error):
        self.status = status
        self.document = {"error": error}


class Issuer:
    def __init__(self, url, is_opaque=False):
        self.url = url
        self.is_opaque = is_opaque

    def metadata(self):
        base = self.url + PROTOCOL
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{base}/auth",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/certs",
            "userinfo_endpoint": f"{base}/userinfo",
            "introspection_endpoint": f"{base}/token/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "device_authorization_endpoint": f"{base}/auth/device",
        }

    def token(self, claims, life=300):
        now = int(time.time())
        claims = {"iss": self.url, "iat": now, "exp": now + life, "jti": secrets.token_hex(8), **claims}
        return self.opaque(claims) if self.is_opaque else signed(claims)

    def opaque(self, claims, kind="access"):
        text = secrets.token_urlsafe(32)
        TOKENS.mkdir(exist_ok=True)
        (TOKENS / hashlib.sha256(text.encode()).hexdigest()).write_text(json.dumps({"kind": kind, **claims}))
        return text

    def known(self, text, kind="access"):
        file = TOKENS / hashlib.sha256(text.encode()).hexdigest()
        claims = json.loads(file.read_text()) if file.exists() else {}
        if claims.get("kind") != kind or claims.get("iss", self.url) != self.url or claims["exp"] < time.time():
            return None
        return claims

    def login(self, query):
        """Answers the request of a browser with the address to go to."""
        if query.get("client_id") != "odcs-command" or query.get("redirect_uri") not in REDIRECTIONS:
            raise Answer(400, "invalid_request")
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            raise Answer(400, "invalid_request")
        kept = {key: query[key] for key in ("client_id", "redirect_uri", "code_challenge")}
        code = self.opaque({"exp": time.time() + 60, **kept}, "code")
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query.get("state", "")})

    def device(self, form):
        """Begins a login with a code (RFC 8628)."""
        if form.get("client_id") != "odcs-command":
            raise Answer(401, "invalid_client")
        code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        device = self.opaque({"exp": time.time() + 60, "client_id": "odcs-command", "user_code": code}, "device")
        page = f"{self.url}{PROTOCOL}/enter"
        complete = f"{page}?user_code={code}"
        answer = {"device_code": device, "user_code": code, "verification_uri": page, "verification_uri_complete": complete}
        return {**answer, "expires_in": 60, "interval": 1}

    def enter(self, query):
        """The page at which a person enters a code."""
        digest = hashlib.sha256(query.get("user_code", "").encode()).hexdigest()
        (TOKENS / digest).write_text(json.dumps({"kind": "entered", "exp": time.time() + 60}))
        return {}

    def grant(self, form):
        kind = form.get("grant_type")
        if kind == "client_credentials":
            client = CLIENTS.get(form.get("client_id"), {})
            if not secrets.compare_digest(client.get("secret", ""), form.get("client_secret", "")) or not client:
                raise Answer(401, "invalid_client")
            return self.tokens(client["claims"], form["client_id"])
        if kind == "authorization_code":
            code = self.known(form.get("code", ""), "code")
            challenge = base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            expected = {"client_id": form.get("client_id"), "redirect_uri": form.get("redirect_uri"), "code_challenge": challenge}
            if not code or any(code[key] != value for key, value in expected.items()):
                raise Answer(400, "invalid_grant")
        elif kind == "urn:ietf:params:oauth:grant-type:device_code":
            device = self.known(form.get("device_code", ""), "device")
            if not device or device["client_id"] != form.get("client_id"):
                raise Answer(400, "invalid_grant")
            if not self.known(device["user_code"], "entered"):
                raise Answer(400, "authorization_pending")
        elif kind == "refresh_token":
            if not self.known(form.get("refresh_token", ""), "refresh"):
                raise Answer(400, "invalid_grant")
        else:
            raise Answer(400, "unsupported_grant_type")
        answer = self.tokens(CLIENTS["odcs-command"]["claims"], "odcs-command")
        refresh = self.opaque({"exp": time.time() + 3600}, "refresh")
        return {**answer, "refresh_token": refresh}

    def tokens(self, claims, client):
        # Public clients keep a token for as long as it lives. This one ends soon, so that a test sees what
        # they do then.
        life = 20 if client == "odcs-command" else 300
        token = self.token({**claims, "azp": client, "client_id": client}, life)
        return {"access_token": token, "token_type": "Bearer", "expires_in": life}

    def introspection(self, form, authorization):
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.startswith("Basic "):
            pair = base64.b64decode(authorization[6:]).decode()
            name, _, secret = (unquote_plus(part) for part in pair.partition(":"))
        if name != "odcs" or secret != CLIENTS["odcs"]["secret"]:
            raise Answer(401, "invalid_client")
        claims = self.known(form.get("token", ""))
        return {"active": True, **claims} if claims else {"active": False}

    def userinfo(self, authorization):
        claims = self.known(authorization.removeprefix("Bearer "))
        # Programs have no UserInfo, as at the provider of Fedora.
        if not claims or "groups" not in claims:
            raise Answer(401, "invalid_token")
        return {"sub": claims["sub"], "groups": claims["groups"]}


ISSUERS = [
    Issuer("https://id.example.test/realms/main"),
    Issuer("https://id.example.test/realms/fedora", is_opaque=True),
    Issuer("https://ci.example.test"),
]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers.get("Content-Type") == "application/json":
            return self.answer(json.loads(body))
        self.answer({key: values[-1] for key, values in parse_qs(body).items()})

    def answer(self, form):
        try:
            document = self.document(form)
        except Answer as answer:
            return self.say(answer.status, answer.document)
        if isinstance(document, str):
            return self.say(302, {}, {"Location": document})
        self.say(200, document)

    def document(self, form):
        url = urlsplit(f"https://{self.headers['Host']}{self.path}")
        for issuer in ISSUERS:
            own = urlsplit(issuer.url)
            if own.netloc == url.netloc and url.path.startswith(own.path + "/"):
                break
        else:
            raise Answer(404, "not_found")
        authorization = self.headers.get("Authorization", "")
        match url.path.removeprefix(own.path).removeprefix(PROTOCOL):
            case "/.well-known/openid-configuration":
                return issuer.metadata()
            case "/certs":
                return {"keys": [public_key()]}
            case "/auth":
                return issuer.login(dict(parse_qsl(url.query)))
            case "/auth/device":
                return issuer.device(form)
            case "/enter":
                return issuer.enter(dict(parse_qsl(url.query)))
            case "/token":
                return issuer.grant(form)
            case "/token/introspect":
                return issuer.introspection(form, authorization)
            case "/userinfo":
                return issuer.userinfo(authorization)
            case "/any-tokens":
                # Not a part of any provider: the tests ask here for tokens with claims of their choice.
                return {"tokens": [issuer.token(form["claims"]) for _ in range(form["count"])]}
        raise Answer(404, "not_found")

    def say(self, status, document, headers={}):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    request_queue_size = 100
    daemon_threads = True

    def finish_request(self, request, address):
        # The handshake is here, and not when a connection is accepted, because it would hold up all others.
        request = tls.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, request, address):
        # A client that does not trust the certificate is no news.
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(DIRECTORY / "tls.pem", DIRECTORY / "tls-key.pem")
server = Server((sys.argv[2], 443), Handler)
print("the provider is ready", flush=True)
server.serve_forever()
