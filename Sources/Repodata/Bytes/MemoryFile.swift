import CLinux
import Compression
import Glibc
import SystemPackage

/// Presents bytes as a file without a name on any disk, for libraries that read only files.
enum MemoryFile {
    /// Calls `body` with a path that is valid only during the call and only in this process.
    static func with<Result>(
        _ bytes: [UInt8], named name: String, _ body: (FilePath) throws(RepodataError) -> Result
    ) throws(RepodataError) -> Result {
        let descriptor = linux_memory_file("odcs")
        guard descriptor >= 0 else { throw .lastSystemError(name) }
        defer { Glibc.close(descriptor) }
        try RepodataError.io(name) { _ = try FileDescriptor(rawValue: descriptor).writeAll(bytes) }
        return try body(FilePath("/proc/self/fd/\(descriptor)"))
    }
}
