import CLinux
import Compression
import Glibc
import SystemPackage

/// Functions that read, copy and synchronize whole files by descriptor. All of them block.
enum RegularFile {
    private static let pieceSize = 1 << 20

    /// Returns all bytes of a small file that this service wrote.
    static func contents(of path: FilePath) throws(Errno) -> [UInt8] {
        try Errno.only {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { Glibc.close(file.rawValue) }
            return try contents(of: file, atMost: .max)
        }
    }

    /// Returns the bytes from the current offset to the end, but at most `limit` of them.
    static func contents(of file: FileDescriptor, atMost limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < limit {
            let count = try Errno.only { try piece.withUnsafeMutableBytes { try file.read(into: $0) } }
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<min(count, limit - bytes.count)])
        }
        return bytes
    }

    /// Creates the file `path` with `bytes`.
    static func write(_ bytes: [UInt8], to path: FilePath) throws(Errno) {
        try create(path) { (file) throws(Errno) in
            try Errno.only { _ = try file.writeAll(bytes) }
        }
    }

    /// Creates the new file `path`, lets `body` write it and closes it. If any step fails, the file is
    /// removed.
    static func create<Failure: Error>(
        _ path: FilePath, _ body: (FileDescriptor) throws(Failure) -> Void, storage: (Errno) -> Failure
    ) throws(Failure) {
        let file: FileDescriptor
        do {
            file = try Errno.only {
                try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
            }
        } catch {
            throw storage(error)
        }
        do throws(Failure) {
            try body(file)
        } catch {
            Glibc.close(file.rawValue)
            unlink(path.string)
            throw error
        }
        // Network file systems report a full disk only here.
        guard Glibc.close(file.rawValue) == 0 else {
            let error = Errno(rawValue: errno)
            unlink(path.string)
            throw storage(error)
        }
    }

    private static func create(_ path: FilePath, _ body: (FileDescriptor) throws(Errno) -> Void) throws(Errno) {
        try create(path, body, storage: { $0 })
    }

    /// Copies the first `count` bytes, within the kernel if the file systems can do so.
    /// - Returns: The number of bytes copied. It is smaller than `count` if `source` ends earlier.
    static func copy(_ source: FileDescriptor, to target: FileDescriptor, count: Int) throws(TransferProblem) -> Int {
        var copied = 0
        while copied < count {
            let step = linux_copy_file_range(source.rawValue, target.rawValue, UInt(min(count - copied, 1 << 30)))
            if step == 0 { return copied }
            if step < 0 {
                switch Errno(rawValue: errno) {
                case .interrupted: continue
                case .noSpace, .diskQuotaExceeded: throw .storage(Errno(rawValue: errno))
                // The two file systems cannot copy within the kernel, or it is unclear which of the two failed. So the
                // rest is copied through a buffer.
                default: return try copied + copyByHand(source, to: target, count: count - copied)
                }
            }
            copied += step
        }
        return copied
    }

    private static func copyByHand(_ source: FileDescriptor, to target: FileDescriptor, count: Int) throws(TransferProblem) -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
        defer { buffer.deallocate() }
        var copied = 0
        while copied < count {
            let step: Int
            do {
                step = try Errno.only {
                    try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(pieceSize, count - copied)]))
                }
            } catch {
                throw TransferProblem(reading: error)
            }
            if step == 0 { break }
            try TransferProblem.storing { () throws(Errno) in
                _ = try Errno.only { try target.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<step])) }
            }
            copied += step
        }
        return copied
    }

    /// Throws unless the bytes of `path` have the checksum `expected`.
    static func verify(_ path: FilePath, is expected: Checksum) throws(TransferProblem) {
        let found: Checksum
        do throws(RepodataError) {
            found = try FileChecksum.of(path, expected.algorithm)
        } catch {
            throw .unreachable("it could not be read to its end")
        }
        guard found == expected else { throw .checksum(expected: expected, found: found) }
    }

    /// Waits until the bytes of `path` are on the disk.
    static func synchronize(_ path: FilePath) throws(Errno) {
        let file = try Errno.only { try FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
        defer { Glibc.close(file.rawValue) }
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }
}

extension FilePath {
    var exists: Bool { access(string, F_OK) == 0 }

    /// Creates the directory and all missing directories above it. Succeeds if it already exists.
    func createDirectory() throws(Errno) {
        guard mkdir(string, 0o755) != 0 else { return }
        switch Errno(rawValue: errno) {
        case .fileExists: return
        case .noSuchFileOrDirectory where !components.isEmpty:
            try removingLastComponent().createDirectory()
            guard mkdir(string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        case let error: throw error
        }
    }
}

extension Errno {
    /// Runs calls of SystemPackage. They are declared to throw any error, but throw only `Errno`.
    static func only<Result>(_ body: () throws -> Result) throws(Errno) -> Result {
        do {
            return try body()
        } catch let error as Errno {
            throw error
        } catch {
            throw .invalidArgument
        }
    }
}
