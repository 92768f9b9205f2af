"""Makes RPM packages of Debian's, and invents what the index does not tell: files, licences, changelogs."""
import dataclasses
import hashlib
import random
import re

import debian
from rpmfile import DIRECTORY, EQUAL, INTERPRETER, LESS, REGULAR, SCRIPT_POST, SCRIPT_PRE, SYMLINK, DEPENDENCY_TAGS

LICENSES = [
    "GPL-2.0-or-later", "MIT", "Apache-2.0", "BSD-3-Clause", "LGPL-2.1-or-later", "GPL-3.0-or-later", "Artistic-2.0", "MPL-2.0", "ISC", "Zlib",
]
WORDS = (
    "core util data main config index parse format client server cache event stream buffer node table query "
    "model view signal thread socket store plugin theme icon page module helper base"
).split()
PROGRAM_SECTIONS = {
    "admin", "utils", "net", "web", "games", "graphics", "text", "sound", "video", "science", "math", "editors", "database", "mail", "shells",
    "vcs", "devel", "x11", "gnome", "kde", "electronics", "hamradio", "comm", "interpreters", "httpd", "otherosfs", "misc", "xfce", "news",
    "education",
}
SERVER_SECTIONS = {"admin", "net", "httpd", "database", "mail"}
LANGUAGE_SUFFIXES = {
    "rust": ".rs", "golang": ".go", "javascript": ".js", "ruby": ".rb", "java": ".jar", "haskell": ".hi", "php": ".php", "gnu-r": ".R",
    "ocaml": ".cmi", "lisp": ".lisp",
}
# What requirements of files point at.
KNOWN_FILES = {
    "dash": ["/bin/sh", "/usr/bin/sh", "/usr/bin/dash"],
    "bash": ["/bin/bash", "/usr/bin/bash"],
    "perl-base": ["/usr/bin/perl"],
    "python3-minimal": ["/usr/bin/python3"],
    "coreutils": ["/usr/bin/env", "/usr/bin/ls"],
    "libc-bin": ["/sbin/ldconfig", "/usr/sbin/ldconfig"],
    "libc6": ["/lib64/libc.so.6", "/lib64/ld-linux-x86-64.so.2"],
}
# What /bin/sh itself needs cannot need it.
BELOW_SHELL = {"dash", "bash", "libc6", "libgcc-s1", "gcc-12-base", "debianutils", "coreutils"}
FILES_AT_MOST = 16


@dataclasses.dataclass
class Package:
    """What rpmfile.rpm writes."""

    name: str
    epoch: str
    version: str
    release: str
    arch: str
    summary: str
    description: str
    group: str
    license: str
    packager: str
    url: str
    time: int
    changelog: list
    source_rpm: str
    files: list
    dependencies: dict
    # Of a module's package: name, stream, version and context of the module.
    modularity_label: str = ""

    @property
    def is_source(self):
        return self.arch == "src"

    @property
    def path(self):
        """Where it lies in its repository."""
        return "Packages/%s/%s-%s-%s.%s.rpm" % (self.name[0].lower(), self.name, self.version, self.release, self.arch)


def number(*texts):
    """A large number that looks random and depends on nothing but the texts."""
    return int.from_bytes(hashlib.blake2b("\0".join(texts).encode(), digest_size=8).digest(), "big")


def file_family(package):
    """Where most files of a package lie and what their names end in."""
    name, section = package.name, package.section
    if section == "libs" and package.arch == "x86_64":
        return "/usr/lib64/%s/" % name, ".so"
    if section == "libdevel" or name.endswith("-dev"):
        return "/usr/include/%s/" % name.removesuffix("-dev"), ".h"
    if name.startswith("python3-"):
        return "/usr/lib/python3/dist-packages/%s/" % name[8:].replace("-", "_"), ".py"
    if section == "perl":
        return "/usr/share/perl5/%s/" % "/".join(part.capitalize() for part in name.removeprefix("lib").removesuffix("-perl").split("-")), ".pm"
    if section == "doc" or name.endswith("-doc"):
        return "/usr/share/doc/%s/html/" % name, ".html"
    if section in LANGUAGE_SUFFIXES:
        return "/usr/share/%s/%s/" % (section, name), LANGUAGE_SUFFIXES[section]
    return "/usr/share/%s/" % name, ".dat"


def invented_files(package):
    name, section = package.name, package.section
    documentation = "/usr/share/doc/" + name
    files = {documentation: (DIRECTORY | 0o755, b"")}

    def add(path, mode=REGULAR | 0o644, body=b""):
        files.setdefault(path, (mode, body))

    add(documentation + "/copyright")
    add(documentation + "/changelog.Debian.gz")
    for path in KNOWN_FILES.get(name, ()):
        add(path, REGULAR | 0o755)
    folder, suffix = file_family(package)
    if suffix == ".so":
        library = re.match(r"(lib.+?)-?(\d+(?:\.\d+)*)?[a-z]*$", name)
        stem, version = (library.group(1), library.group(2) or "0") if library else ("lib" + name, "0")
        add("/usr/lib64/%s.so.%s.0.0" % (name, version), REGULAR | 0o755)
        add("/usr/lib64/%s.so.%s" % (stem, name[-40:]), SYMLINK | 0o777, ("%s.so.%s.0.0" % (name, version)).encode())
    if suffix == ".dat" and section in PROGRAM_SECTIONS and not name.endswith(("-data", "-common")):
        add("/usr/bin/" + name, REGULAR | 0o755)
        add("/usr/share/man/man1/%s.1.gz" % name)
        if section in SERVER_SECTIONS:
            add("/etc/%s/%s.conf" % (name, name))
            add("/usr/lib/systemd/system/%s.service" % name)
    add(folder.rstrip("/"), DIRECTORY | 0o755)
    choice = random.Random(number(name, "files"))
    # The larger the package, the more files, though far fewer than it really has.
    for index in range(len(files), min(FILES_AT_MOST, int(package.size**0.4))):
        add("%s%s_%d%s" % (folder, choice.choice(WORDS), index, suffix))
    return [(path, mode, body) for path, (mode, body) in files.items()]


class Conversion:
    """How the packages of an index become RPMs."""

    def __init__(self, packages):
        self.names = {package.name for package in packages}
        # Debian ignores a versioned conflict with a name that another package provides without a version; RPM would see it.
        self.provided_without_version = {
            name for package in packages for (name, flags, _), *_ in package.alternatives("Provides") if not flags
        }

    def binary(self, package):
        fields, seed = package.fields, number(package.name, "package")
        time = 1650000000 + seed % 50000000
        summary = fields.get("Description", package.name)
        packager = fields.get("Maintainer", "nobody <nobody@example.com>")
        return Package(
            name=package.name, epoch=package.epoch, version=package.version, release=package.release, arch=package.arch,
            summary=summary, description="%s\n\nConverted from the Debian package %s." % (summary, package.name), group=package.section,
            license=LICENSES[seed % len(LICENSES)], packager=packager, url=fields.get("Homepage", ""), time=time,
            changelog=[(time - time % 86400, "%s - %s-%s" % (packager, package.version, package.release), "- New upstream release")],
            source_rpm="%s-%s-%s.src.rpm" % (package.source, package.source_version, package.source_release),
            files=invented_files(package), dependencies=self.dependencies(package),
        )

    def dependencies(self, package):
        fields = package.fields
        requires = debian.dependencies(fields.get("Pre-Depends", ""), SCRIPT_PRE) + debian.dependencies(fields.get("Depends", ""))
        names = {name for name, _, _ in requires}
        requires += [("/usr/bin/" + name, 0, "") for name in ("perl", "python3") if name in names]
        has_script = package.section in PROGRAM_SECTIONS and number(package.name, "script") % 100 < 35
        if has_script and package.name not in BELOW_SHELL and fields.get("Essential") != "yes" and package.priority != "required":
            requires.append(("/bin/sh", INTERPRETER | SCRIPT_POST, ""))

        provides = [(package.name, EQUAL, package.evr)]
        if package.arch == "x86_64":
            provides.append((package.name + "(x86-64)", EQUAL, package.evr))
        for (name, flags, version), *_ in package.alternatives("Provides"):
            provides.append((name, flags, debian.bound(version, EQUAL) if flags else ""))

        conflicts = debian.dependencies(fields.get("Conflicts", "")) + debian.dependencies(fields.get("Breaks", ""))
        found = {
            "requires": requires,
            "provides": provides,
            "conflicts": [(name, flags, version) for name, flags, version in conflicts if not flags or name not in self.provided_without_version],
            # Only what replaces a package that is no longer in Debian is a renamed one.
            "obsoletes": [
                (name, flags, debian.bound(version, flags))
                for (name, flags, version), *_ in package.alternatives("Replaces")
                if flags in (LESS, LESS | EQUAL) and name not in self.names
            ],
            "recommends": debian.dependencies(fields.get("Recommends", "")),
            "suggests": debian.dependencies(fields.get("Suggests", "")),
            "enhances": debian.dependencies(fields.get("Enhances", "")),
        }
        return {kind: list(dict.fromkeys(found[kind])) for kind in DEPENDENCY_TAGS}

    def companions(self, build):
        """The source package and the debug packages of packages that are built together, each with its tree."""
        first = build[0]
        model = self.binary(first)
        none = {kind: [] for kind in DEPENDENCY_TAGS}

        def derived(name, description, files, of=first, **changes):
            arch = "" if changes.get("arch") == "src" else "(x86-64)"
            evr = of.evr
            values = {
                "name": name, "epoch": of.epoch, "version": of.version, "release": of.release, "arch": "x86_64", "summary": description,
                "description": description, "group": "Development/Debug", "files": files,
                "dependencies": dict(none, provides=[(name, EQUAL, evr), (name + arch, EQUAL, evr)] if arch else []),
            }
            return dataclasses.replace(model, **{**values, **changes})

        source_files = [(first.source + suffix, REGULAR | 0o644, b"") for suffix in (".spec", "-%s.tar.gz" % first.source_version)]
        yield "source", derived(
            first.source, model.summary, source_files, arch="src", epoch=first.source_epoch, version=first.source_version,
            release=first.source_release, source_rpm="",
        )
        native = [package for package in build if package.arch == "x86_64" and package.size > 20 and not package.name.endswith("-dev")]
        if native:
            folder = "/usr/src/debug/%s-%s" % (first.source, first.source_version)
            yield "debug", derived(
                first.source + "-debugsource", "Debug sources for package " + first.source,
                [("%s/%s.c" % (folder, word), REGULAR | 0o644, b"") for word in WORDS[:8]], of=native[0],
            )
        for package in native:
            yield "debug", derived(
                package.name + "-debuginfo", "Debug information for package " + package.name,
                [("/usr/lib/debug/usr/bin/%s.debug" % package.name, REGULAR | 0o644, b"")], of=package,
            )
