"""A Koji hub that replays answers recorded from a real hub, and a server of the packages of that hub."""

import hashlib
import json
import threading
import xmlrpc.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from module_builds import ModuleBuilds


class Koji:
    """A Koji with the tag f26-updates, which inherits from f26, as it was at the event 100, and with the
    builds in it.

    It answers calls below /kojihub, and serves files below /topdir. Below /module-build-service it is
    the Module Build Service of the modules whose builds are in its files.
    """

    TAG = "f26-updates"
    EVENT = 100

    def __init__(self, recordings, topdir, port):
        self.topdir = Path(topdir)
        self.modules = ModuleBuilds(topdir)
        self.calls = []
        self._recordings = Path(recordings)
        self._rpms, builds = self._recorded("listTaggedRPMS_rpmsigs")
        self._builds = {build["build_id"]: build for build in builds}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _recorded(self, name):
        (answer,), _ = xmlrpc.client.loads((self._recordings / f"{name}.response.xml").read_bytes())
        return answer

    # The methods of the hub that composes need.

    def getTag(self, tag, strict=False, event=None):
        if any(tag == module.tag for module in self.modules.builds):
            return {"id": 100, "name": tag, "arches": "x86_64 i686 aarch64", "locked": False}
        if tag != self.TAG:
            return None
        return {"id": 2, "name": tag, "arches": "x86_64 i686 aarch64", "locked": False}

    def getLastEvent(self, before=None):
        return {"id": self.EVENT, "ts": 1795247700.0}

    def getFullInheritance(self, tag, event=None):
        return self._recorded("getFullInheritance_f26-updates")

    def tagChangedSinceEvent(self, event, tags):
        return False

    def listTaggedRPMS(self, tag, event=None, inherit=False, latest=False, arch=None, rpmsigs=False):
        if (modular := self.modules.tagged(tag, arch)) is not None:
            return modular
        assert (tag, event, latest) == (self.TAG, self.EVENT, True)
        builds = [build for build in self._builds.values() if inherit or build["tag_name"] == tag]
        ids = {build["build_id"] for build in builds}
        rpms = [rpm for rpm in self._rpms if rpm["build_id"] in ids and (arch is None or rpm["arch"] in arch)]
        if not rpmsigs:
            rpms = self._without_signatures(rpms)
        return [rpms, builds]

    def getBuild(self, nvr):
        if module := self.modules.named(nvr):
            return module.build
        return next((build for build in self._builds.values() if build["nvr"] == nvr), None)

    def listBuildRPMs(self, build):
        return self._without_signatures(rpm for rpm in self._rpms if rpm["build_id"] == build)

    def queryRPMSigs(self, rpm_id):
        return [
            {"rpm_id": rpm_id, "sigkey": rpm["sigkey"], "sighash": "00"} for rpm in self._rpms if rpm["id"] == rpm_id
        ]

    def getRPMChecksums(self, rpm_id, checksum_types, cacheonly=False):
        sums = {}
        for rpm in self._rpms:
            if rpm["id"] == rpm_id and (file := self._file(rpm)).is_file():
                sums[rpm["sigkey"]] = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        return sums

    def getBuildType(self, build):
        module = self.modules.named(build)
        return {"module": module.module} if module else {}

    def search(self, terms, type, matchType):
        return []

    def multiCall(self, calls):
        answers = []
        for call in calls:
            try:
                answers.append([self._answer(call["methodName"], call["params"])])
            except xmlrpc.client.Fault as fault:
                answers.append({"faultCode": fault.faultCode, "faultString": fault.faultString})
        return answers

    @staticmethod
    def _without_signatures(rpms):
        rows = {rpm["id"]: {name: value for name, value in rpm.items() if name != "sigkey"} for rpm in rpms}
        return list(rows.values())

    def _file(self, rpm):
        build = self._builds[rpm["build_id"]]
        directory = self.topdir / "packages" / build["name"] / build["version"] / build["release"]
        if rpm["sigkey"]:
            directory = directory / "data" / "signed" / rpm["sigkey"]
        return directory / rpm["arch"] / f"{rpm['name']}-{rpm['version']}-{rpm['release']}.{rpm['arch']}.rpm"

    def _answer(self, method, params):
        params = list(params)
        named = params.pop() if params and isinstance(params[-1], dict) and params[-1].pop("__starstar", False) else {}
        if method.startswith("_") or not hasattr(type(self), method):
            raise xmlrpc.client.Fault(1000, f"Invalid method: {method}")
        self.calls.append((method, params, named))
        return getattr(self, method)(*params, **named)

    def _handler(koji):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                params, method = xmlrpc.client.loads(body)
                try:
                    answer = xmlrpc.client.dumps((koji._answer(method, params),), methodresponse=True, allow_none=True)
                except xmlrpc.client.Fault as fault:
                    answer = xmlrpc.client.dumps(fault)
                self.say(200, answer.encode(), "text/xml")

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/module-build-service/1/module-builds/":
                    return self.say(200, json.dumps(koji.modules.answer(query)).encode(), "application/json")
                path = unquote(path)
                file = koji.topdir / path.removeprefix("/topdir/")
                if not path.startswith("/topdir/") or ".." in file.parts or not file.is_file():
                    return self.say(404, b"", "text/plain")
                content = file.read_bytes()
                wanted = self.headers.get("Range", "").removeprefix("bytes=")
                if not wanted:
                    return self.say(200, content, "application/octet-stream")
                first, _, last = wanted.partition("-")
                first, end = int(first), min(int(last or len(content)) + 1, len(content))
                place = f"bytes {first}-{end - 1}/{len(content)}"
                self.say(206, content[first:end], "application/octet-stream", {"Content-Range": place})

            def say(self, status, body, content_type, headers={}):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler
