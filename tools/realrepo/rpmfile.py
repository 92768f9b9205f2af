"""Writes RPM v4 package files: https://rpm-software-management.github.io/rpm/manual/format_v4.html"""
import hashlib
import struct
import zlib

# Flags of a dependency.
LESS, GREATER, EQUAL = 2, 4, 8
INTERPRETER, SCRIPT_PRE, SCRIPT_POST, RPMLIB = 1 << 8, 1 << 9, 1 << 10, 1 << 24

# Types of a header's entries.
INT16, INT32, STRING, BINARY, STRING_ARRAY, I18N_STRING = 3, 4, 6, 7, 8, 9

HEADER_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
DIRECTORY, REGULAR, SYMLINK = 0o040000, 0o100000, 0o120000
SHA256_OF_NOTHING = hashlib.sha256(b"").hexdigest()

# What each kind of dependency is stored as: the tags of its names, flags and versions.
DEPENDENCY_TAGS = {
    "requires": (1049, 1048, 1050),
    "provides": (1047, 1112, 1113),
    "conflicts": (1054, 1053, 1055),
    "obsoletes": (1090, 1114, 1115),
    "recommends": (5046, 5048, 5047),
    "suggests": (5049, 5051, 5050),
    "enhances": (5055, 5057, 5056),
}


def string(tag, text):
    return tag, STRING, 1, text.encode() + b"\0"


def i18n_string(tag, text):
    return tag, I18N_STRING, 1, text.encode() + b"\0"


def strings(tag, texts):
    return tag, STRING_ARRAY, len(texts), "\0".join(texts).encode() + b"\0"


def int32s(tag, numbers):
    return tag, INT32, len(numbers), struct.pack(">%dI" % len(numbers), *numbers)


def int16s(tag, numbers):
    return tag, INT16, len(numbers), struct.pack(">%dH" % len(numbers), *numbers)


def binary(tag, data):
    return tag, BINARY, len(data), data


def header(region, entries):
    """A header structure, with a region that says that all entries are original."""
    index, data = [], bytearray()
    for tag, kind, count, payload in sorted(entries, key=lambda entry: entry[0]):
        data += b"\0" * (-len(data) % {INT32: 4, INT16: 2}.get(kind, 1))
        index.append(struct.pack(">IIII", tag, kind, len(data), count))
        data += payload
    index.insert(0, struct.pack(">IIII", region, BINARY, len(data), 16))
    data += struct.pack(">IIiI", region, BINARY, -16 * len(index), 16)
    return b"".join([HEADER_MAGIC, struct.pack(">II", len(index), len(data)), *index, bytes(data)])


def cpio(files, time):
    """An archive in the format newc."""
    parts = []

    def member(inode, path, mode, links, body):
        fields = (inode, mode, 0, 0, links, time if inode else 0, len(body), 0, 0, 0, 0, len(path) + 1, 0)
        parts.append(b"070701" + b"".join(b"%08x" % field for field in fields) + path + b"\0")
        parts.append(b"\0" * (-len(parts[-1]) % 4))
        parts.append(body + b"\0" * (-len(body) % 4))

    for inode, (path, mode, body) in enumerate(files, 1):
        member(inode, b"." + path.encode(), mode, 2 if mode & DIRECTORY == DIRECTORY else 1, body)
    member(0, b"TRAILER!!!", 0, 1, b"")
    return b"".join(parts)


def gzip(data):
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    return compressor.compress(data) + compressor.flush()


def rpmlib_requirements(package):
    """The features of rpm that a package needs, as rpmbuild would name them."""
    features = {"CompressedFileNames": "3.0.4-1", "FileDigests": "4.6.0-1"}
    if not package.is_source:
        features["PayloadFilesHavePrefix"] = "4.0-1"
    if any(name[0] == "(" for kind in ("requires", "recommends", "suggests", "conflicts") for name, _, _ in package.dependencies[kind]):
        features["RichDependencies"] = "4.12.0-1"
    if "~" in package.version + package.release:
        features["TildeInVersions"] = "4.10.4-1"
    if "^" in package.version + package.release:
        features["CaretInVersions"] = "4.15.0-1"
    return [("rpmlib(%s)" % name, RPMLIB | LESS | EQUAL, version) for name, version in features.items()]


def dependency_entries(package):
    entries = []
    for kind, (names, flags, versions) in DEPENDENCY_TAGS.items():
        dependencies = package.dependencies[kind] + (rpmlib_requirements(package) if kind == "requires" else [])
        if dependencies:
            entries.append(strings(names, [name for name, _, _ in dependencies]))
            entries.append(int32s(flags, [flag for _, flag, _ in dependencies]))
            entries.append(strings(versions, [version for _, _, version in dependencies]))
    return entries


def file_entries(package, files):
    """The list of files: paths are split into a table of directories, an index into it, and base names."""
    directories, indexes, names = {}, [], []
    for path, _, _ in files:
        directory, name = ("", path) if package.is_source else path.rsplit("/", 1)
        directory += "" if package.is_source else "/"
        indexes.append(directories.setdefault(directory, len(directories)))
        names.append(name)

    def flags(path, mode):
        if "/share/doc/" in path or "/share/man/" in path:
            return 2  # documentation
        return 17 if path.startswith("/etc/") and mode & REGULAR else 0  # configuration, not to be replaced

    def digest(mode, body):
        if mode & 0o170000 != REGULAR:
            return ""
        return hashlib.sha256(body).hexdigest() if body else SHA256_OF_NOTHING

    count = len(files)
    return [
        int32s(1028, [4096 if mode & 0o170000 == DIRECTORY else len(body) for _, mode, body in files]),
        int16s(1030, [mode for _, mode, _ in files]),
        int16s(1033, [0] * count),
        int32s(1034, [package.time] * count),
        strings(1035, [digest(mode, body) for _, mode, body in files]),
        strings(1036, [body.decode() if mode & 0o170000 == SYMLINK else "" for _, mode, body in files]),
        int32s(1037, [flags(path, mode) for path, mode, _ in files]),
        strings(1039, ["root"] * count),
        strings(1040, ["root"] * count),
        int32s(1045, [0xFFFFFFFF] * count),
        int32s(1095, [1] * count),
        int32s(1096, list(range(1, count + 1))),
        strings(1097, [""] * count),
        int32s(1116, indexes),
        strings(1117, names),
        strings(1118, list(directories)),
        int32s(5011, [8]),
    ]


def rpm(package):
    """The bytes of a package file. Files are (path, mode, body or target of a link)."""
    files = sorted(package.files)
    archive = cpio(files, package.time)
    payload = gzip(archive)
    entries = [
        strings(100, ["C"]),
        string(1000, package.name),
        string(1001, package.version),
        string(1002, package.release),
        i18n_string(1004, package.summary),
        i18n_string(1005, package.description),
        int32s(1006, [package.time]),
        string(1007, "realrepo.example.com"),
        int32s(1009, [sum(len(body) for _, _, body in files)]),
        string(1011, "realrepo"),
        string(1014, package.license),
        string(1015, package.packager),
        i18n_string(1016, package.group),
        string(1021, "linux"),
        string(1022, "x86_64" if package.is_source else package.arch),
        string(1064, "4.18.0"),
        string(1124, "cpio"),
        string(1125, "gzip"),
        string(1126, "6"),
        string(1132, package.arch + "-redhat-linux-gnu"),
        string(5062, "utf-8"),
        strings(5092, [hashlib.sha256(payload).hexdigest()]),
        int32s(5093, [8]),
        strings(5097, [hashlib.sha256(archive).hexdigest()]),
        int32s(1106, [1]) if package.is_source else string(1044, package.source_rpm),
    ]
    if package.epoch:
        entries.append(int32s(1003, [int(package.epoch)]))
    if package.url:
        entries.append(string(1020, package.url))
    if package.modularity_label:
        entries.append(string(5096, package.modularity_label))
    if package.changelog:
        times, authors, texts = zip(*package.changelog)
        entries += [int32s(1080, times), strings(1081, authors), strings(1082, texts)]
    entries += dependency_entries(package)
    if files:
        entries += file_entries(package, files)
    main = header(63, entries)
    body = main + payload
    signature = header(
        62,
        [
            string(269, hashlib.sha1(main).hexdigest()),
            string(273, hashlib.sha256(main).hexdigest()),
            int32s(1000, [len(body)]),
            binary(1004, hashlib.md5(body).digest()),
            int32s(1007, [len(archive)]),
        ],
    )
    signature += b"\0" * (-len(signature) % 8)
    label = ("%s-%s-%s" % (package.name, package.version, package.release)).encode()[:65]
    lead = struct.pack(">IBBHH66sHH16s", 0xEDABEEDB, 3, 0, 1 if package.is_source else 0, 1, label, 1, 5, b"")
    return lead + signature + body
