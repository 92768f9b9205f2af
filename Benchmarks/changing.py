"""A repository that changes: revisions of one repository, prepared before the measurement."""
import contextlib
import hashlib
import os
import random
import re
import shutil
import subprocess

from floor import documents

_COMPRESSOR = ["gzip", "-6", "-n", "-c"]
_END = b"</package>\n"


class Changing:
    """A copy of a repository whose metadata can be replaced by that of later revisions.

    Only the packages in `keep` stay as they are in all revisions, because their files have to exist.
    """

    def __init__(self, world, repository, keep):
        self.path = f"{world.directory}/repositories/changing/os"
        self._prepared = f"{world.directory}/changing"
        self._repository = repository
        for directory in (os.path.dirname(self.path), self._prepared):
            shutil.rmtree(directory, ignore_errors=True)
            os.makedirs(directory)
        os.makedirs(self.path)
        subprocess.run(["cp", "-al", f"{repository}/Packages", self.path], check=True)
        self._head, self._elements, self._tail = {}, [], {}
        self._read()
        self._keep = keep
        self.count = len(self._elements)
        self._original = list(self._elements)
        self._revisions = 0
        self.show(self.prepare(0))

    def _read(self):
        columns = []
        for kind, path in documents(self._repository).items():
            plain = subprocess.run(["gzip", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
            first = plain.index(b"<package ")
            *elements, self._tail[kind] = plain[first:].split(_END)
            self._head[kind] = plain[:first]
            columns.append(elements)
        self._elements = list(zip(*columns))

    def prepare(self, changed, original=False):
        """Makes the next revision, with `changed` packages other than in the last one. Returns its number.

        Eight of ten changed packages get a new build, one is removed, and one is added. With
        `original`, the revision is made of the first one and not of the last one.
        """
        number = self._revisions
        self._revisions += 1
        dice = random.Random(number)
        elements = self._original if original else self._elements
        free = [index for index, (primary, *_) in enumerate(elements) if _name(primary) not in self._keep]
        picked = dice.sample(free, min(changed, len(free)))
        tenth = changed // 10
        removed, added, replaced = set(picked[:tenth]), set(picked[tenth : 2 * tenth]), set(picked[2 * tenth :])
        self._elements = []
        for index, element in enumerate(elements):
            if index not in removed:
                self._elements.append(_new_build(element, dice) if index in replaced else element)
                if index in added:
                    self._elements.append(_new_build(element, dice, f"-new{number}-{index}"))
        self._write(f"{self._prepared}/{number}")
        return number

    def show(self, number):
        """Makes a prepared revision the current one."""
        shown = f"{self.path}/repodata"
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(shown)
        shutil.copytree(f"{self._prepared}/{number}", shown)

    def _write(self, directory):
        os.makedirs(directory)
        running = []
        for column, kind in enumerate(self._head):
            plain = [re.sub(rb'packages="\d+"', b'packages="%d"' % len(self._elements), self._head[kind])]
            plain += [element[column] + _END for element in self._elements]
            plain.append(self._tail[kind])
            with open(f"{directory}/{kind}.xml", "wb") as stream:
                stream.writelines(plain)
            with open(f"{directory}/{kind}.xml.gz", "wb") as packed:
                running.append(subprocess.Popen([*_COMPRESSOR, f"{directory}/{kind}.xml"], stdout=packed))
        records = ""
        for kind, compressor in zip(self._head, running):
            if compressor.wait():
                raise RuntimeError(f"{kind}.xml cannot be compressed")
            records += _record(directory, kind)
            os.remove(f"{directory}/{kind}.xml")
        with open(f"{directory}/repomd.xml", "w") as stream:
            stream.write(
                '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">\n'
                f"  <revision>{self._revisions}</revision>\n{records}</repomd>\n"
            )

    def remove(self):
        for directory in (os.path.dirname(self.path), self._prepared):
            shutil.rmtree(directory, ignore_errors=True)


def _record(directory, kind):
    packed, plain = f"{directory}/{kind}.xml.gz", f"{directory}/{kind}.xml"
    name = f"{_digest(packed)}-{kind}.xml.gz"
    record = (
        f'  <data type="{kind}"><checksum type="sha256">{_digest(packed)}</checksum>'
        f'<open-checksum type="sha256">{_digest(plain)}</open-checksum><location href="repodata/{name}"/>'
        f"<timestamp>1700000000</timestamp><size>{os.path.getsize(packed)}</size><open-size>{os.path.getsize(plain)}</open-size></data>\n"
    )
    os.rename(packed, f"{directory}/{name}")
    return record


def _digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _name(primary):
    begin = primary.index(b"<name>") + len(b"<name>")
    return primary[begin : primary.index(b"<", begin)].decode()


def _new_build(element, dice, suffix=None):
    """Returns the elements of a new build of a package. With `suffix`, they are those of a package with a new name."""
    primary = element[0]
    pkgid = re.search(rb'pkgid="YES">([0-9a-f]+)<', primary)[1]
    fresh = hashlib.sha256(pkgid + dice.randbytes(8)).hexdigest().encode()
    new = [text.replace(pkgid, fresh) for text in element]
    name = _name(primary).encode()
    if suffix:
        renamed = name + suffix.encode()
        for place in (b"<name>%s<", b' name="%s"', b"/%s-"):
            new = [text.replace(place % name, place % renamed) for text in new]
        return tuple(new)
    release = re.search(rb'<version [^>]*rel="([^"]*)"', primary)[1]
    own = rb'(<rpm:entry name="' + re.escape(name) + rb'(?:\([^"]*\))?" flags="EQ"[^>]* rel=")' + re.escape(release) + b'"'
    for pattern in (rb'(<version [^>]*rel=")' + re.escape(release) + b'"', own):
        new = [re.sub(pattern, lambda match: match[1] + release + b'.1"', text) for text in new]
    new = [re.sub(rb'(<location href="[^"]*-)' + re.escape(release) + rb"\.", lambda match: match[1] + release + b".1.", text) for text in new]
    return tuple(new)
