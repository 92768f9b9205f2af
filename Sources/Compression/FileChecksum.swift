public import SystemPackage

/// Computes the checksum of a file's content, in any algorithm of rpm-md. All functions block.
public enum FileChecksum {
    /// Reads `file` to its end and returns its checksum.
    public static func of(_ file: FilePath, _ algorithm: Checksum.Algorithm) throws(RepodataError) -> Checksum {
        let digest = Digest(algorithm)
        try FileContent.read(file) { (bytes) throws(RepodataError) in digest.update(bytes) }
        return digest.finish()
    }

    /// Returns the checksum of the whole file in `algorithm`, and that of the bytes from offset `start` to
    /// the end in `other`. Reads the file once.
    public static func of(
        _ file: FilePath, _ algorithm: Checksum.Algorithm, andFrom start: Int, _ other: Checksum.Algorithm
    ) throws(RepodataError) -> (whole: Checksum, rest: Checksum) {
        let whole = Digest(algorithm)
        let rest = Digest(other)
        var skipped = 0
        try FileContent.read(file) { (bytes) throws(RepodataError) in
            whole.update(bytes)
            let skip = min(start - skipped, bytes.count)
            skipped += skip
            if skip < bytes.count { rest.update(UnsafeRawBufferPointer(rebasing: bytes[skip...])) }
        }
        return (whole.finish(), rest.finish())
    }

    /// Returns the checksum of bytes that are already in memory.
    public static func of(_ bytes: [UInt8], _ algorithm: Checksum.Algorithm) -> Checksum {
        Digest.of(bytes, algorithm)
    }

    /// Throws `.checksumMismatch` unless `file` has the checksum `expected`. Error messages call the file
    /// `name`.
    public static func verify(_ file: FilePath, is expected: Checksum, named name: String? = nil) throws(RepodataError) {
        try Digest.compare(try of(file, expected.algorithm), with: expected, of: name ?? file.shortName)
    }
}
