"""A Koji hub with one large tag, made of a repository's packages.

Its listing is made before the first call.
"""
import csv
import hashlib
import os
import struct
import threading
import xmlrpc.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TAG = "bench"


class Hub:
    """A Koji hub with one tag.

    The tag has a new event at each call of getLastEvent, so it is listed again for each compose.
    """

    def __init__(self, repository, topdir, count):
        os.makedirs(topdir, exist_ok=True)
        rpms, builds = content(repository, topdir, count)
        self.count = len(rpms)
        # The same as the answer of Koji itself, except for white space.
        self.listing = xmlrpc.client.dumps(([rpms, builds],), methodresponse=True, allow_none=True).encode()
        self._event = 1000
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/kojihub"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, params):
        if method == "getTag":
            return {"id": 1, "name": TAG, "arches": "x86_64", "locked": False, "perm": None, "perm_id": None, "maven_support": False,
                    "maven_include_all": False, "extra": {}}  # fmt: skip
        if method == "getLastEvent":
            self._event += 1
            return {"id": self._event, "ts": 1795247700.0 + self._event}
        if method == "getFullInheritance":
            return []
        if method == "tagChangedSinceEvent":
            return True
        if method == "queryHistory":
            return {}
        if method == "getRPMChecksums":
            return {}
        if method == "multiCall":
            return [[self.answer(call["methodName"], call["params"])] for call in params[0]]
        raise xmlrpc.client.Fault(1000, f"Invalid method: {method}")

    def _handler(hub):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Web servers do the same. Otherwise each small answer waits 40 ms, until the client's kernel
            # acknowledges its header.
            disable_nagle_algorithm = True

            def do_POST(self):
                params, method = xmlrpc.client.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if method == "listTaggedRPMS":
                    body = hub.listing
                else:
                    try:
                        body = xmlrpc.client.dumps((hub.answer(method, params),), methodresponse=True, allow_none=True).encode()
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


def content(repository, topdir, count):
    """Returns the first `count` packages of the repository and their builds, as rows of listTaggedRPMS.

    Also links the files of the packages to the places below `topdir` at which Koji has them.
    """
    root = os.path.dirname(repository)
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
