import Glibc
import Synchronization
package import SystemPackage

/// A file mapped into memory for reading. The file must not shrink while it is mapped.
package final class MappedFile: @unchecked Sendable {  // the mapping is read-only and lives as long as the object
    package let bytes: UnsafeRawBufferPointer
    package let identity: FileIdentity?

    package init(_ file: FilePath) throws(RepodataError) {
        let name = file.shortName
        let descriptor = try RepodataError.io(name) { try FileDescriptor.open(file, .readOnly, options: .closeOnExec) }
        defer { Glibc.close(descriptor.rawValue) }
        identity = FileIdentity(of: descriptor.rawValue)
        let size = try RepodataError.io(name) { Int(try descriptor.seek(offset: 0, from: .end)) }
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.rawValue, 0), address != MAP_FAILED else {
            throw .lastSystemError(name)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// The shared mappings. An entry is empty for a moment while its mapping goes.
    private static let shared: Mutex<[FileIdentity: Reference]> = Mutex([:])

    /// Maps a file like ``init(_:)``. As long as the mapping exists, others of the same file share it, also
    /// by its other names. Their pages need not be found again.
    ///
    /// The documents of a repository are mapped by those that compare its revisions, and by each index.
    package static func shared(_ file: FilePath) throws(RepodataError) -> MappedFile {
        if let known = FileIdentity(of: file).flatMap({ identity in shared.withLock { $0[identity]?.file } }) { return known }
        let mapped = try MappedFile(file)
        guard let identity = mapped.identity else { return mapped }
        return shared.withLock { shared in
            if let known = shared[identity]?.file { return known }
            shared[identity] = Reference(mapped)
            return mapped
        }
    }

    /// Returns whether the file at `path` is still the one that was mapped.
    package func isStill(at path: FilePath) -> Bool { identity?.isStill(at: path) ?? false }

    deinit {
        if let identity {
            Self.shared.withLock { if $0[identity]?.id == ObjectIdentifier(self) { $0[identity] = nil } }
        }
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}

/// A class, because a structure with a weak reference is copied to be looked at.
private final class Reference: Sendable {
    weak let file: MappedFile?
    let id: ObjectIdentifier

    init(_ file: MappedFile) {
        self.file = file
        id = ObjectIdentifier(file)
    }
}
