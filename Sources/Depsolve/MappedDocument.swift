import Glibc
import Repodata
import SystemPackage

/// An XML document of a repository, mapped into memory to be walked over from tag to tag. Owns the mapping.
///
/// A `<` cannot stand for itself inside a tag or a text, so what is between two of them is one tag with the text after it.
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

    /// Calls `body` with the bytes of each tag, without its `<` and with the text after it.
    func forEachTag(_ body: (UnsafeRawBufferPointer) throws(DepsolveError) -> Void) throws(DepsolveError) {
        var next = memchr(start, Self.lessThan, end - start)
        while let found = next {
            let tag = UnsafeRawPointer(found + 1)
            next = memchr(found + 1, Self.lessThan, end - found - 1)
            try body(UnsafeRawBufferPointer(start: tag, count: UnsafeRawPointer(next ?? end) - tag))
        }
    }

    private static let lessThan = Int32(UInt8(ascii: "<"))
}

extension DepsolveError {
    static func unusable(_ document: FilePath, of repository: Checksum, _ reason: String) -> DepsolveError {
        .unusableMetadata(repository: repository, document: document.lastComponent?.string ?? "", reason: reason)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a tag is an element of that name, or with a slash in front, the end of one.
    func isTag(_ name: StaticString) -> Bool {
        let length = name.utf8CodeUnitCount
        guard count > length, memcmp(baseAddress!, name.utf8Start, length) == 0 else { return false }
        return self[length] == UInt8(ascii: ">") || self[length] == UInt8(ascii: "/") || self[length] <= UInt8(ascii: " ")
    }
}
