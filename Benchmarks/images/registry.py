"""A registry: docker-registry on a loopback port, with its data in a directory."""
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from urllib.parse import urlsplit

from images.layers import GZIP

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"


class Registry:
    def __init__(self, directory):
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        settings = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": f"{directory}/data"}, "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0", "secret": "bench"},
        }
        with open(f"{directory}/registry.yml", "w") as stream:
            json.dump(settings, stream)  # JSON is also YAML
        self._log = f"{directory}/log"
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", f"{directory}/registry.yml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.host = self._address()

    def _address(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with open(self._log) as log:
                found = re.search(r"listening on (127\.0\.0\.1:\d+)", log.read())
            if found:
                return found[1]
            time.sleep(0.05)
        raise RuntimeError(f"the registry did not start; see {self._log}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=300)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]}")
            return answer, content
        finally:
            connection.close()

    def _upload(self, name, digest, size, body):
        place = urlsplit(self._ask("POST", f"/v2/{name}/blobs/uploads/", headers={"Content-Length": "0"})[0].headers["Location"])
        path = f"{place.path}?{place.query}&digest={digest}" if place.query else f"{place.path}?digest={digest}"
        self._ask("PUT", path, body, {"Content-Length": str(size), "Content-Type": "application/octet-stream"})

    def push(self, name, layers, tag="latest"):
        """Pushes an image of these layers for linux/amd64, and returns the digest of its manifest."""
        for each in layers:
            with open(each.path, "rb") as stream:
                self._upload(name, each.digest, each.size, stream)
        configuration = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/bin:/usr/sbin", "LC_ALL=C.UTF-8"]},
            "rootfs": {"type": "layers", "diff_ids": [each.diff for each in layers]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "bench"} for _ in layers],
        }).encode()  # fmt: skip
        digest = f"sha256:{hashlib.sha256(configuration).hexdigest()}"
        self._upload(name, digest, len(configuration), configuration)
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIGURATION, "digest": digest, "size": len(configuration)},
            "layers": [{"mediaType": GZIP, "digest": each.digest, "size": each.size} for each in layers],
        }).encode()  # fmt: skip
        self._ask("PUT", f"/v2/{name}/manifests/{tag}", manifest, {"Content-Type": MANIFEST})
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
