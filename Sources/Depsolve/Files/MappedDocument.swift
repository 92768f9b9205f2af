import Compression
import Glibc
import Repodata
import SystemPackage

/// An XML document of a repository that is mapped into memory and read from tag to tag. It owns the
/// mapping.
///
/// The document of a layer consists of pieces of the base and of its changes. Each piece begins with a
/// tag.
///
/// XML does not allow a plain `<` inside a tag or a text. So the bytes between two `<` are one tag and
/// the text after it. Comments, CDATA sections and processing instructions may contain anything. They
/// are skipped, and count as part of the text.
struct MappedDocument: ~Copyable {
    let path: FilePath
    private let repository: Checksum
    private let start: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer
    private let changes: DocumentChanges?

    /// - Parameter changes: The changes of the document, if the file at `path` is that of the base.
    init(_ path: FilePath, of repository: Checksum, changes: DocumentChanges? = nil) throws(DepsolveError) {
        self.path = path
        self.repository = repository
        self.changes = changes
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unusable(path, of: repository, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let length = Int(lseek(descriptor, 0, SEEK_END))
        guard length > 0 else { throw .unusable(path, of: repository, "it is empty") }
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .unusable(path, of: repository, String(cString: strerror(errno)))
        }
        if let changes, changes.baseSize != length {
            munmap(start, length)
            throw .unusable(path, of: repository, "its changes are those of another document")
        }
        self.start = start
        end = start + length
    }

    deinit {
        munmap(start, end - start)
    }

    func unusable(_ reason: String) -> DepsolveError { .unusable(path, of: repository, reason) }

    /// Calls `body` with the bytes of each tag. They begin after the `<` and include the text after the
    /// tag, up to the next tag.
    func forEachTag(_ body: (UnsafeRawBufferPointer) throws(DepsolveError) -> Void) throws(DepsolveError) {
        let all = UnsafeRawBufferPointer(start: start, count: end - start)
        guard let changes else { return try Self.forEachTag(in: all, body) }
        try changes.forEachPiece(over: all) { piece throws(DepsolveError) in try Self.forEachTag(in: piece, body) }
    }

    /// Calls `body` with the bytes of each tag of a piece that begins outside of a tag.
    static func forEachTag(
        in piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(DepsolveError) -> Void
    ) throws(DepsolveError) {
        guard let start = piece.baseAddress else { return }
        let end = start + piece.count
        var next = tag(from: start, to: end)
        while let tag = next {
            next = Self.tag(from: tag, to: end)
            try body(UnsafeRawBufferPointer(start: tag, count: (next.map { $0 - 1 } ?? end) - tag))
        }
    }

    /// Returns the position behind the `<` of the next tag.
    private static func tag(from position: UnsafeRawPointer, to end: UnsafeRawPointer) -> UnsafeRawPointer? {
        var position = position
        while let found = memchr(position, lessThan, end - position) {
            let tag = UnsafeRawPointer(found + 1)
            guard let after = endOfSection(at: tag, before: end) else { return tag }
            position = after
        }
        return nil
    }

    /// Returns the position behind a section that begins at `start`, after its `<`. Returns `nil` for a
    /// tag. A section without an end extends to the end of the document.
    private static func endOfSection(at start: UnsafeRawPointer, before end: UnsafeRawPointer) -> UnsafeRawPointer? {
        guard start < end else { return nil }
        let first = start.load(as: UInt8.self)
        guard first == UInt8(ascii: "!") || first == UInt8(ascii: "?") else { return nil }
        let rest = UnsafeRawBufferPointer(start: start, count: end - start)
        for (opening, closing) in [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")] where rest.starts(with: opening.utf8) {
            var inside = UnsafeRawBufferPointer(rebasing: rest.dropFirst(opening.utf8.count))
            while let found = memchr(inside.baseAddress ?? start, Int32(closing.utf8.first!), inside.count) {
                let place = UnsafeRawPointer(found)
                inside = UnsafeRawBufferPointer(start: place, count: end - place)
                if inside.starts(with: closing.utf8) { return place + closing.utf8.count }
                inside = UnsafeRawBufferPointer(rebasing: inside.dropFirst())
            }
            return end
        }
        return nil
    }

    private static let lessThan = Int32(UInt8(ascii: "<"))
}

extension DepsolveError {
    static func unusable(_ document: FilePath, of repository: Checksum, _ reason: String) -> DepsolveError {
        .unusableMetadata(repository: repository, document: document.lastComponent?.string ?? "", reason: reason)
    }
}

extension UnsafeRawBufferPointer {
    /// The index of the `>` that ends the tag. A `>` inside a quoted attribute does not end it.
    var endOfTag: Int? {
        var quote: UInt8?
        for (index, byte) in enumerated() {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return index
            }
        }
        return nil
    }

    /// Whether the bytes are a start tag of that name. If the name begins with a slash, whether they are an
    /// end tag.
    ///
    /// Example: `isTag("package")` for `<package type="rpm">`, and `isTag("/filelists")` for
    /// `</filelists>`.
    func isTag(_ name: StaticString) -> Bool {
        let length = name.utf8CodeUnitCount
        guard count > length, memcmp(baseAddress!, name.utf8Start, length) == 0 else { return false }
        return self[length] == UInt8(ascii: ">") || self[length] == UInt8(ascii: "/") || self[length] <= UInt8(ascii: " ")
    }
}
