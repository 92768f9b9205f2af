import Glibc
import SystemPackage

/// A file's bytes, read in pieces or mapped into memory.
enum FileContent {
    /// Bytes read or written at once.
    static let pieceSize = 128 * 1024

    /// Hands the content of `file` to `body`, piece by piece, until its end.
    static func read(
        _ file: FilePath, _ body: (UnsafeRawBufferPointer) throws(RepodataError) -> Void
    ) throws(RepodataError) {
        let name = file.shortName
        let descriptor = try RepodataError.io(name) { try FileDescriptor.open(file, .readOnly, options: .closeOnExec) }
        defer { Glibc.close(descriptor.rawValue) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try RepodataError.io(name) { try descriptor.read(into: buffer) }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

/// A file mapped into memory for reading. The file must not shrink while it is mapped.
final class MappedFile: @unchecked Sendable {  // the mapping is read-only and lives as long as the object
    let bytes: UnsafeRawBufferPointer

    init(_ file: FilePath) throws(RepodataError) {
        let name = file.shortName
        let descriptor = try RepodataError.io(name) { try FileDescriptor.open(file, .readOnly, options: .closeOnExec) }
        defer { Glibc.close(descriptor.rawValue) }
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

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}

/// Files that appear at once or not at all.
enum AtomicFile {
    /// Writes `bytes` beside `path` and renames them there.
    static func write(_ bytes: [UInt8], to path: FilePath) throws(RepodataError) {
        let name = path.shortName
        let temporary = FilePath(path.string + ".\(UInt64.random(in: 0...UInt64.max)).tmp")
        try RepodataError.io(name) {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            do {
                try file.closeAfter { _ = try file.writeAll(bytes) }
                guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
            } catch {
                unlink(temporary.string)
                throw error
            }
        }
    }
}
