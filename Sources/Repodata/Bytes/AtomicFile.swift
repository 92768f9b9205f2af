import Compression
import Glibc
import SystemPackage

/// Writes files atomically: for other processes, a file appears under its name with all its bytes or
/// not at all.
///
/// It does not wait for the disk. A sync here would not make a tree whole after a power failure,
/// because the other files of the tree are not synced either. A cached table has a digest, so a table
/// that a power failure damaged is noticed and written again.
enum AtomicFile {
    /// Writes `bytes` to a temporary file beside `path` and renames it to `path`. Throws `.io` if the
    /// system refuses.
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
