"""`odcs fetch`, against the three commands that it replaces."""
import json
import os
import shutil
import subprocess

from images.imageworld import ImageWorld
from rows import no_longer, within
from timing import by_turns, seconds

LEVEL = 3


def fetch(world):
    """One image from a registry into a docker-archive that is compressed with Zstandard."""
    program = f"{os.path.dirname(world.program)}/odcs"
    with ImageWorld(world, "fetch") as images:
        whole = images.system_with_rpmdb()
        digest = images.registry.push("bench/system", [whole])
        ours, rival = Ours(program, images, digest), Rival(images, digest)
        samples = by_turns(world.runs, ours=ours.fetch, hit=ours.again, rival=rival.fetch)
        if ours.image() != rival.image():
            raise RuntimeError(f"not the same image: {ours.image()} and {rival.image()}")
        sizes = {"ours_mb": ours.size() / 1e6, "rivals_mb": rival.size() / 1e6}
    yield within(
        "fetch", f"fetch of an image of {whole.size / 1e6:.0f} MB as docker-archive with zstd -{LEVEL}",
        "`skopeo copy dir:`, `skopeo copy docker-archive:` and `zstd`", samples["ours"], samples["rival"], 0.5, **sizes,
    )  # fmt: skip
    yield no_longer("fetch-hit", "… again, from the cache", samples["hit"], 0.02)


class Archive:
    def size(self):
        return os.path.getsize(self.path)

    def image(self):
        """Returns the id of the image in the archive."""
        command = f"zstd --decompress --stdout {self.path!r} | tar --extract --to-stdout manifest.json"
        text = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout
        return os.path.basename(json.loads(text)[0]["Config"]).removesuffix(".json").removeprefix("sha256:")


class Ours(Archive):
    def __init__(self, program, images, digest):
        self._directory = images.file("ours")
        self.path = f"{self._directory}/into/{images.registry.host}/bench/system:1.zst"
        self._command = [
            program, "fetch", f"docker://{images.registry.host}/bench/system;digest={digest};tag=latest", "--arch", "amd64", "--insecure",
            "--cache", f"{self._directory}/cache", "--into", f"{self._directory}/into", "--zstd-level", str(LEVEL), "--json",
        ]  # fmt: skip

    def _run(self):
        said = subprocess.run(self._command, check=True, capture_output=True, text=True)
        self.path = json.loads(said.stdout)["file"]

    def fetch(self):
        shutil.rmtree(self._directory, ignore_errors=True)
        os.makedirs(f"{self._directory}/into")
        return seconds(self._run)

    def again(self):
        if not os.path.exists(self._directory):
            self.fetch()
        return seconds(self._run)


class Rival(Archive):
    def __init__(self, images, digest):
        self._directory = images.file("rival")
        self._image = f"docker://{images.registry.host}/bench/system@{digest}"
        self.path = f"{self._directory}/image.tar.zst"

    def _run(self):
        tar = self.path.removesuffix(".zst")
        copy = ["skopeo", "copy", "--quiet"]
        subprocess.run([*copy, "--src-tls-verify=false", self._image, f"dir:{self._directory}/dir"], check=True)
        subprocess.run([*copy, f"dir:{self._directory}/dir", f"docker-archive:{tar}:bench/system:latest"], check=True)
        subprocess.run(["zstd", "--quiet", f"-{LEVEL}", "--rm", tar, "-o", self.path], check=True)

    def fetch(self):
        shutil.rmtree(self._directory, ignore_errors=True)
        os.makedirs(self._directory)
        return seconds(self._run)
