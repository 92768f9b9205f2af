"""Layers of images, made without a builder: a small system with dnf, an rpmdb, and one of many bytes."""
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import zlib
from dataclasses import dataclass

from world import PROJECT, TESTS_REPO

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass
class Layer:
    """A compressed layer, as a file."""

    path: str
    digest: str
    size: int
    # The digest of the uncompressed layer.
    diff: str


class Hashing:
    """A file that is written, with the digest of its bytes."""

    def __init__(self, stream):
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data):
        self._digest.update(data)
        self.size += len(data)
        return self._stream.write(data)

    def flush(self):
        self._stream.flush()

    @property
    def digest(self):
        return f"sha256:{self._digest.hexdigest()}"


def layer(path, fill, level=6):
    """Makes a gzip layer. `fill` gets the file that the bytes of the tar are written to."""
    with open(path, "wb") as stream:
        packed = Hashing(stream)
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=level, mtime=0) as compressor:
            plain = Hashing(compressor)
            fill(plain)
    return Layer(path, packed.digest, packed.size, plain.digest)


def root(directory):
    """Makes the files of a small system with dnf and rpm, from packages of this machine, and returns their directory."""
    path = f"{directory}/root"
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run([f"{PROJECT}/scripts/image-root", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def system(path, root, rpmdb=None):
    """Makes a layer of the files of a directory, and optionally of an rpmdb."""
    names = ["--directory", root, "."]
    if rpmdb:
        names += ["--directory", rpmdb, "./var/lib/rpm/rpmdb.sqlite"]
    tar = ["tar", "--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--hard-dereference", *names]

    def fill(plain):
        process = subprocess.Popen(tar, stdout=subprocess.PIPE)
        shutil.copyfileobj(process.stdout, plain, 1 << 20)
        if process.wait():
            raise RuntimeError("tar failed")

    return layer(path, fill)


def database(directory):
    """Makes an rpmdb with the packages of tests-repo, below var/lib/rpm. Returns its directory and the number of packages."""
    path = f"{directory}/rpmdb"
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(f"{path}/var/lib/rpm")
    packages = [
        f"{TESTS_REPO}/Packages/{name}" for name in sorted(os.listdir(f"{TESTS_REPO}/Packages")) if name.endswith((".x86_64.rpm", ".noarch.rpm"))
    ]
    rpm = ["rpm", "--root", path, "--dbpath", "/var/lib/rpm"]
    install = ["--install", "--nodeps", "--nosignature", "--justdb", "--noscripts", "--notriggers", "--force", "--ignorearch", "--ignoreos"]
    subprocess.run([*rpm, *install, *packages], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = subprocess.run([*rpm, "-qa"], check=True, capture_output=True, text=True).stdout.split()
    # The rpmdb is complete without the log of SQLite, as the one of a finished `dnf install` is.
    subprocess.run(["python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode = DELETE')",
                    f"{path}/var/lib/rpm/rpmdb.sqlite"], check=True)  # fmt: skip
    return path, len(found)


def rpmdb_layer(path, rpmdb):
    """Makes a small layer with only an rpmdb."""

    def fill(plain):
        with tarfile.open(fileobj=plain, mode="w|") as tar:
            tar.add(f"{rpmdb}/var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite")

    return layer(path, fill)


def many_bytes(path, count):
    """Makes a layer of one file of so many random bytes, which do not compress."""

    class Random(io.RawIOBase):
        def read(self, size=-1):
            return os.urandom(size)

    def fill(plain):
        with tarfile.open(fileobj=plain, mode="w|") as tar:
            entry = tarfile.TarInfo("data")
            entry.size = count
            tar.addfile(entry, Random())

    return layer(path, fill, level=zlib.Z_NO_COMPRESSION)


def another(original, path, number):
    """Returns a layer with the same content and another digest.

    Only the time in the header of gzip differs. So nothing that was kept about a layer, by its digest,
    makes the next measurement faster.
    """
    with open(original.path, "rb") as source, open(path, "wb") as stream:
        packed = Hashing(stream)
        header = source.read(10)
        packed.write(header[:4] + number.to_bytes(4, "little") + header[8:])
        shutil.copyfileobj(source, packed, 1 << 20)
    return Layer(path, packed.digest, packed.size, original.diff)


def kept(path, make):
    """Returns the layer in a file, and makes the file if it does not exist."""
    if not os.path.exists(path):
        made = make(f"{path}.new")
        os.rename(f"{path}.new", path)
        return Layer(path, made.digest, made.size, made.diff)
    with open(path, "rb") as stream:
        packed = hashlib.file_digest(stream, "sha256").hexdigest()
    with gzip.open(path) as stream:
        plain = hashlib.file_digest(stream, "sha256").hexdigest()
    return Layer(path, f"sha256:{packed}", os.path.getsize(path), f"sha256:{plain}")
