/// Checks the archive of a build context, a tar that may be compressed, whose bytes are pushed in
/// pieces. Nothing is written.
///
/// Every entry and hard link must stay inside of the archive. Devices, pipes and unknown kinds are
/// refused, and so are entries below a symbolic link. An absolute symbolic link of a context is
/// accepted, because builders take the top of the context for the root directory.
///
/// The archive of a component is checked in the same way, except that two more kinds of symbolic links
/// are refused, because a person may unpack the archive anywhere: an absolute one, and one with `..`
/// after a name. The name may be another link. Example: with `a/b -> ..`, the link `a/b/..` leads out.
public final class BuildContextReader {
    /// The kind of archive, by its name in messages.
    public enum Kind: String, Hashable, Sendable {
        case context
        case component = "archive of the component"
    }

    /// The most that is read from one context. The limits stop decompression bombs.
    public struct Limits: Hashable, Sendable {
        /// The bytes of the uncompressed archive.
        public var plainBytes = 8 << 30
        public var entries = 200_000

        public init() {}
    }

    /// The result of reading a whole archive.
    public struct Summary: Hashable, Sendable {
        /// The Containerfile at the top of the archive, or `nil` if it has no such file.
        public var containerfile: [UInt8]?
        public var entries: Int
    }

    private let limits: Limits
    private let kind: Kind
    private let decompressor: Decompressor
    private var tar: TarReader
    private let entries: ContextEntries

    /// - Parameters:
    ///   - names: The names of a Containerfile, in the order of preference.
    ///   - mostBytes: The most bytes of a Containerfile.
    public init(containerfileNames names: [String] = [], mostBytes: Int = 0, of kind: Kind = .context, limits: Limits = Limits()) {
        self.limits = limits
        self.kind = kind
        decompressor = Decompressor(named: "The \(kind.rawValue)")
        entries = ContextEntries(names: names.map { Array($0.utf8) }, mostBytes: mostBytes, kind: kind)
        var tarLimits = TarLimits()
        tarLimits.entries = limits.entries
        tarLimits.metadata = 64 << 20
        tarLimits.bytes = limits.plainBytes
        tar = TarReader(limits: tarLimits)
    }

    public func read(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        try decompressor.read(bytes) { (plain) throws(ImageArchiveError) in try tar.read(plain, entries) }
    }

    /// Ends the archive. Throws if it is incomplete, or has no entry.
    public func finish() throws(ImageArchiveError) -> Summary {
        try decompressor.finish { (plain) throws(ImageArchiveError) in try tar.read(plain, entries) }
        try tar.finish()
        guard entries.count > 0 else { throw ImageArchiveError(.missing, "The \(kind.rawValue) has no files.") }
        return Summary(containerfile: entries.containerfile, entries: entries.count)
    }
}

/// The entries of a context, as they are checked.
private final class ContextEntries: TarVisitor {
    private static let mostBytesOfPath = 4096

    let names: [[UInt8]]
    let mostBytes: Int
    let kind: BuildContextReader.Kind
    var count = 0
    private var links: Set<[[UInt8]]> = []
    private var found: [[UInt8]: [UInt8]] = [:]
    /// The Containerfile whose content is being read.
    private var current: [UInt8]?

    init(names: [[UInt8]], mostBytes: Int, kind: BuildContextReader.Kind) {
        self.names = names
        self.mostBytes = mostBytes
        self.kind = kind
    }

    var containerfile: [UInt8]? { names.lazy.compactMap { self.found[$0] }.first }

    func begin(_ entry: TarEntry) throws(ImageArchiveError) {
        count += 1
        let path = try inside(entry.path, of: entry, "path")
        for length in 1..<max(path.count, 1) where links.contains(Array(path.prefix(length))) {
            throw refusal(entry, "is below a symbolic link")
        }
        links.remove(path)
        current = nil
        switch entry.kind {
        case .file: try beginFile(entry, path)
        case .directory: break
        case .hardLink: _ = try inside(entry.link, of: entry, "link")
        case .symbolicLink:
            try checkTarget(entry, of: path)
            links.insert(path)
        case .characterDevice, .blockDevice: throw refusal(entry, "is a device")
        case .fifo: throw refusal(entry, "is a pipe")
        case .other: throw refusal(entry, "is of an unknown kind")
        }
        if path.count == 1, names.contains(path[0]), entry.kind != .file {
            throw refusal(entry, "is not a file, as a Containerfile must be")
        }
    }

    private func beginFile(_ entry: TarEntry, _ path: [[UInt8]]) throws(ImageArchiveError) {
        guard path.count == 1, names.contains(path[0]) else { return }
        guard entry.size <= mostBytes else { throw refusal(entry, "is larger than \(mostBytes) bytes") }
        current = path[0]
        found[path[0]] = []
    }

    func content(_ bytes: UnsafeRawBufferPointer) {
        if let current { found[current, default: []] += bytes }
    }

    func endEntry() { current = nil }

    /// Returns the names of a path that does not lead out of the archive.
    private func inside(_ path: [UInt8], of entry: TarEntry, _ part: String) throws(ImageArchiveError) -> [[UInt8]] {
        func refusal(_ reason: String) -> ImageArchiveError {
            ImageArchiveError(.forbidden, "The \(kind.rawValue) has the entry \(entry.shownPath), whose \(part) \(reason).")
        }
        guard path.count <= Self.mostBytesOfPath, !path.contains(0) else {
            throw refusal("has a NUL, or more than \(Self.mostBytesOfPath) bytes")
        }
        guard path.first != UInt8(ascii: "/") else { throw refusal("is absolute") }
        let names = path.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
        guard !names.contains(Array("..".utf8)) else { throw refusal("has a name ..") }
        return names
    }

    /// Throws if a symbolic link leads out of the archive.
    private func checkTarget(_ entry: TarEntry, of path: [[UInt8]]) throws(ImageArchiveError) {
        guard entry.link.count <= Self.mostBytesOfPath, !entry.link.contains(0) else { throw refusal(entry, "has an impossible target") }
        let isAbsolute = entry.link.first == UInt8(ascii: "/")
        if isAbsolute, kind == .component { throw refusal(entry, "is a symbolic link that leads out of the archive") }
        var (depth, hasName) = (isAbsolute ? 0 : path.count - 1, false)
        for name in entry.link.split(separator: UInt8(ascii: "/")) where name != [UInt8(ascii: ".")] {
            let isUp = name.elementsEqual("..".utf8)
            // The name may be another link, whose parent is elsewhere.
            if isUp, hasName, kind == .component { throw refusal(entry, "is a symbolic link with .. after a name") }
            hasName = hasName || !isUp
            depth += isUp ? -1 : 1
            guard depth >= 0 else {
                throw refusal(entry, "is a symbolic link that leads out of the \(kind == .context ? "context" : "archive")")
            }
        }
    }

    private func refusal(_ entry: TarEntry, _ reason: String) -> ImageArchiveError {
        ImageArchiveError(.forbidden, "The \(kind.rawValue) has the entry \(entry.shownPath), which \(reason).")
    }
}
