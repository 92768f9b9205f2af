import Compression
import Glibc
import SystemPackage

/// An XML document of a repository that is mapped into memory and read from tag to tag. It owns the
/// mapping.
///
/// XML does not allow a plain `<` inside a tag or a text. So the bytes between two `<` are one tag and
/// the text after it. Comments, CDATA sections and processing instructions may contain anything. They
/// are skipped, and count as part of the text.
struct MappedDocument: ~Copyable {
    let path: FilePath
    private let repository: Checksum
    private let start: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    init(_ path: FilePath, of repository: Checksum) throws(DepsolveError) {
        self.path = path
        self.repository = repository
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unusable(path, of: repository, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let length = Int(lseek(descriptor, 0, SEEK_END))
        guard length > 0 else { throw .unusable(path, of: repository, "it is empty") }
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .unusable(path, of: repository, String(cString: strerror(errno)))
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
        var next = tag(from: UnsafeRawPointer(start))
        while let tag = next {
            next = self.tag(from: tag)
            try body(UnsafeRawBufferPointer(start: tag, count: (next.map { $0 - 1 } ?? UnsafeRawPointer(end)) - tag))
        }
    }

    /// Returns the position behind the `<` of the next tag.
    private func tag(from position: UnsafeRawPointer) -> UnsafeRawPointer? {
        var position = position
        while let found = memchr(position, Self.lessThan, UnsafeRawPointer(end) - position) {
            let tag = UnsafeRawPointer(found + 1)
            guard let after = endOfSection(at: tag) else { return tag }
            position = after
        }
        return nil
    }

    /// Returns the position behind a section that begins at `start`, after its `<`. Returns `nil` for a
    /// tag. A section without an end extends to the end of the document.
    private func endOfSection(at start: UnsafeRawPointer) -> UnsafeRawPointer? {
        guard start < end else { return nil }
        let first = start.load(as: UInt8.self)
        guard first == UInt8(ascii: "!") || first == UInt8(ascii: "?") else { return nil }
        let rest = UnsafeRawBufferPointer(start: start, count: UnsafeRawPointer(end) - start)
        for (opening, closing) in [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")] where rest.starts(with: opening.utf8) {
            var inside = UnsafeRawBufferPointer(rebasing: rest.dropFirst(opening.utf8.count))
            while let found = memchr(inside.baseAddress ?? start, Int32(closing.utf8.first!), inside.count) {
                let place = UnsafeRawPointer(found)
                inside = UnsafeRawBufferPointer(start: place, count: UnsafeRawPointer(end) - place)
                if inside.starts(with: closing.utf8) { return place + closing.utf8.count }
                inside = UnsafeRawBufferPointer(rebasing: inside.dropFirst())
            }
            return UnsafeRawPointer(end)
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
