import Glibc
package import SystemPackage

/// Reads a file's bytes in pieces.
package enum FileContent {
    /// The number of bytes that are read or written at once.
    package static let pieceSize = 128 * 1024

    /// Calls `body` with each piece of the content of `file`, in order, until the end of the file.
    package static func read(
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
