"""A fetcher of BitBake for container images. `odcs fetch` does the work.

    SRC_URI = "docker://registry.example.org/web;digest=sha256:…;tag=1"

Copy this file into a layer (lib/container_image.py), and add in a class or layer.conf:

    python () {
        import bb.fetch2
        from container_image import ContainerImage
        bb.fetch2.methods.append(ContainerImage())
    }

The image is kept in DL_DIR. The unpack task puts it into its directory as NAME:TAG.zst.
"""
import json
import subprocess

from bb.fetch2 import FetchError, FetchMethod, NoChecksumError, logger


class ContainerImage(FetchMethod):
    def supports(self, ud, d):
        return ud.type == "docker"

    def supports_checksum(self, ud):
        # The digest in the address is the checksum.
        return False

    def urldata_init(self, ud, d):
        ud.address = ud.url.split(";")[0]
        for name in ("digest", "tag"):
            if name in ud.parm:
                ud.address += f";{name}={ud.parm[name]}"
        ud.localfile = ud.address.removeprefix("docker://").replace("/", ".").replace(";", "_")
        # BitBake must not look for the file itself: the cache has names of its own.
        ud.needdonestamp = False

    def need_update(self, ud, d):
        return True

    def download(self, ud, d):
        self.fetch(ud, d, d.getVar("DL_DIR"))

    def unpack(self, ud, rootdir, d):
        self.fetch(ud, d, rootdir)

    def fetch(self, ud, d, directory):
        """Brings the image into the cache, and links it into a directory."""
        command = ["odcs", "fetch", ud.address, "--json", "--checksum", "ignore", "--arch", d.getVar("PACKAGE_ARCH"),
                   "--cache", d.getVar("DL_DIR"), "--into", directory]
        if d.getVar("BB_NO_NETWORK") == "1":
            command.append("--offline")
        done = subprocess.run(command + (d.getVar("ODCS_FETCH_OPTIONS") or "").split(), capture_output=True, text=True)
        if done.returncode:
            raise FetchError(done.stderr.strip(), ud.url)
        image = json.loads(done.stdout)
        if "digest" not in ud.parm:
            line = f'SRC_URI = "{image["address"]}"'
            if d.getVar("BB_STRICT_CHECKSUM") == "1":
                raise NoChecksumError(f"{ud.url} has no digest. With its digest it is:\n{line}", ud.url)
            if d.getVar("BB_STRICT_CHECKSUM") != "ignore":
                logger.warning("%s has no digest. With its digest it is:\n%s", ud.url, line)
        ud.localpath = image["cache"]
