import Glibc
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

    /// Returns whether the file at `path` is still the one that was mapped.
    package func isStill(at path: FilePath) -> Bool { identity?.isStill(at: path) ?? false }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}
