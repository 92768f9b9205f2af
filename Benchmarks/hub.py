"""A Koji hub with one large tag, made of a repository's packages."""
import csv
import hashlib
import os
import struct
import threading
import time
import xmlrpc.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TAG = "bench"

# Events are this far apart in seconds, so that all events before the last one are settled.
_BETWEEN_EVENTS = 700
_FIRST_EVENT = 1000
_FIRST_TIME = 1795247700.0


class Hub:
    """A Koji hub with one tag, whose answers are made before the first call.

    The tag has a new event at each call of getLastEvent, so it is listed again for each compose.
    """

    def __init__(self, rows):
        self._rpms, self._builds = rows
        self.count = len(self._rpms)
        self.listing = _answer([self._rpms, self._builds])
        self._event = _FIRST_EVENT
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/kojihub"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, params, keywords):
        if method == "getTag":
            return {"id": 1, "name": TAG, "arches": "x86_64", "locked": False, "perm": None, "perm_id": None, "maven_support": False,
                    "maven_include_all": False, "extra": {}}  # fmt: skip
        if method == "getLastEvent":
            return self._last_event(keywords.get("before"))
        if method == "getFullInheritance":
            return []
        if method == "tagChangedSinceEvent":
            return True
        if method == "queryHistory":
            return {}
        if method == "getRPMChecksums":
            return {}
        if method == "multiCall":
            return [self._part(call) for call in params[0]]
        raise xmlrpc.client.Fault(1000, f"Invalid method: {method}")

    def body(self, method, params, keywords):
        """Returns the bytes of the answer."""
        return self.listing if method == "listTaggedRPMS" else _answer(self.answer(method, params, keywords))

    def _last_event(self, before):
        if before is None:
            self._event += 1
        return {"id": self._event, "ts": _FIRST_TIME + self._event}

    def _part(self, call):
        try:
            return [self.answer(call["methodName"], *_arguments(call["params"]))]
        except xmlrpc.client.Fault as fault:
            return {"faultCode": fault.faultCode, "faultString": fault.faultString}

    def _handler(hub):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Web servers do the same. Otherwise each small answer waits 40 ms, until the client's kernel
            # acknowledges its header.
            disable_nagle_algorithm = True

            def do_POST(self):
                params, method = xmlrpc.client.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    body = hub.body(method, *_arguments(params))
                except xmlrpc.client.Fault as fault:
                    body = xmlrpc.client.dumps(fault).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler


class ChangingHub(Hub):
    """A hub whose tag changes when it is told to, and that makes each answer when it is asked.

    Koji's own hub makes its answers in Python, too, from rows of a database.
    """

    def __init__(self, rows, has_history):
        """If `has_history` is false, the hub is one from before Koji 1.35, without tagLastChangeEvent."""
        super().__init__(rows)
        self._has_history = has_history
        self._names = {}
        for build in self._builds:
            self._names.setdefault(build["name"], ([], []))[1].append(build)
        names = {build["build_id"]: build["name"] for build in self._builds}
        for rpm in self._rpms:
            self._names[names[rpm["build_id"]]][0].append(rpm)
        # The build that comes and goes.
        self._build = self._builds[-1]
        self._is_tagged = True
        self._tagged_at = 10
        self._history = []
        self.asked = 0

    def change(self):
        """Tags or untags one build."""
        self._event += 1
        if self._is_tagged:
            self._history.append((self._tagged_at, self._event))
        self._is_tagged = not self._is_tagged
        self._tagged_at = self._event

    def body(self, method, params, keywords):
        return _answer(self.answer(method, params, keywords))

    def answer(self, method, params, keywords):
        if method == "tagChangedSinceEvent":
            return self._event > params[0]
        if method == "tagLastChangeEvent" and self._has_history:
            # Each event after the first one is a change of the tag.
            last = min(self._event, keywords.get("before", self._event + 1) - 1)
            return last if last > _FIRST_EVENT else 10
        if method == "queryHistory":
            return {"tag_listing": self._listings(keywords["afterEvent"])}
        if method == "listTaggedRPMS":
            return self._list(keywords.get("package"))
        return super().answer(method, params, keywords)

    def _part(self, call):
        if call["methodName"] == "tagLastChangeEvent" and not _arguments(call["params"])[1]:
            # This call begins a listing.
            self.asked = time.perf_counter()
        return super()._part(call)

    def _last_event(self, before):
        last = self._event
        while before is not None and self._time(last) >= before:
            last -= 1
        return {"id": last, "ts": self._time(last)}

    def _time(self, event):
        return _FIRST_TIME + (event - _FIRST_EVENT) * _BETWEEN_EVENTS

    def _listings(self, after):
        """Returns the rows of the history in which the build was tagged or untagged after an event."""
        rows = [*self._history, *([(self._tagged_at, None)] if self._is_tagged else [])]
        return [
            {"build_id": self._build["build_id"], "name": self._build["name"], "version": self._build["version"],
             "release": self._build["release"], "epoch": None, "build.state": 1, "tag_id": 1, "tag.name": TAG, "create_event": begin,
             "revoke_event": end, "active": None if end else True}
            for begin, end in rows if begin > after or end and end > after
        ]  # fmt: skip

    def _list(self, name):
        rpms, builds = self._names[name] if name else (self._rpms, self._builds)
        absent = None if self._is_tagged else self._build["build_id"]
        return [[row for row in rows if row["build_id"] != absent] for rows in (rpms, builds)]


def _answer(value):
    # The same as the answer of Koji itself, except for white space.
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def _arguments(params):
    """Returns the positional arguments and the keywords of a call."""
    if params and isinstance(params[-1], dict) and "__starstar" in params[-1]:
        return params[:-1], {name: value for name, value in params[-1].items() if name != "__starstar"}
    return params, {}


def content(repository, topdir, count):
    """Returns the first `count` packages of the repository and their builds, as rows of listTaggedRPMS.

    Also links the files of the packages to the places below `topdir` at which Koji has them.
    """
    root = os.path.dirname(repository)
    os.makedirs(topdir, exist_ok=True)
    rpms, builds = [], {}
    with open(f"{root}/manifest.tsv") as stream:
        for line in csv.DictReader(stream, delimiter="\t"):
            if len(rpms) == count:
                break
            nvr = line["sourcerpm"].removesuffix(".src.rpm")
            build = builds.setdefault(nvr, row_of_build(nvr, len(builds) + 1))
            directory = f"{topdir}/packages/{build['name']}/{build['version']}/{build['release']}/{line['arch']}"
            file = f"{directory}/{line['name']}-{line['version']}-{line['release']}.{line['arch']}.rpm"
            if not os.path.exists(file):
                os.makedirs(directory, exist_ok=True)
                os.link(f"{root}/{line['path']}", file)
            rpms.append({
                "arch": line["arch"], "build_id": build["build_id"], "buildroot_id": None, "buildtime": 1700000000, "draft": False,
                "epoch": int(line["epoch"]) or None, "extra": None, "id": len(rpms) + 1, "metadata_only": False, "name": line["name"],
                "payloadhash": payload_hash(file), "release": line["release"], "size": int(line["size"]), "version": line["version"],
            })  # fmt: skip
    return rpms, list(builds.values())


def row_of_build(nvr, number):
    name, version, release = nvr.rsplit("-", 2)
    moment = "2026-11-21 07:50:31.823171+00:00"
    return {
        "build_id": number, "completion_time": moment, "create_event": 10, "creation_event_id": 9, "creation_time": moment, "draft": False,
        "epoch": None, "id": number, "name": name, "nvr": nvr, "owner_id": 1, "owner_name": "kojiadmin", "package_id": number,
        "package_name": name, "promoter_id": None, "promoter_name": None, "promotion_time": None, "release": release, "start_time": moment,
        "state": 1, "tag_id": 1, "tag_name": TAG, "task_id": None, "version": version, "volume_id": 0, "volume_name": "DEFAULT",
    }  # fmt: skip


def payload_hash(file):
    """Returns the MD5 of everything after the signature header of an RPM.

    The signature header contains this MD5.
    """
    with open(file, "rb") as stream:
        data = stream.read()
    entries, size = struct.unpack(">II", data[104:112])
    end = 112 + 16 * entries + size
    return hashlib.md5(data[end + -end % 8 :]).hexdigest()
