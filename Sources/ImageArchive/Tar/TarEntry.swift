import ForeignText

/// A *tar entry* is one file, directory, link or device of a tar archive, without its content.
public struct TarEntry: Hashable, Sendable {
    /// The kind of an entry, from the type flag of its header (POSIX pax, "ustar Interchange Format").
    public enum Kind: Hashable, Sendable {
        case file
        case directory
        /// The entry is another name of the entry ``TarEntry/link``.
        case hardLink
        /// The entry is a symbolic link with the target ``TarEntry/link``.
        case symbolicLink
        case characterDevice
        case blockDevice
        case fifo
        /// Any other type flag. Its content means nothing to a reader that does not know the flag.
        case other(UInt8)
    }

    public var kind: Kind
    /// The name as the archive has it, in bytes. It is foreign: it may be absolute, contain `..`, and need
    /// not be UTF-8.
    public var path: [UInt8]
    /// The target of a link, in bytes. It is as foreign as ``path``.
    public var link: [UInt8] = []
    /// The number of bytes of content. It is 0 for everything but files and unknown kinds.
    public var size = 0
    /// The permission bits, with setuid, setgid and sticky.
    public var mode: UInt16 = 0o644
    public var owner = 0
    public var group = 0
    /// The time of modification in seconds since 1970.
    public var modified = 0

    public init(_ kind: Kind, path: [UInt8]) {
        self.kind = kind
        self.path = path
    }

    /// Creates a file with a name that is known to be harmless.
    public init(file path: String, size: Int) {
        self.init(.file, path: Array(path.utf8))
        self.size = size
    }

    /// The path in quotes, printable, for messages.
    public var shownPath: String { Self.shown(path) }

    static func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(240), as: UTF8.self).quoted }
}
