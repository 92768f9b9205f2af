import Crypto

/// A checksum that is being computed: it takes bytes in order and returns one ``Checksum`` at the end.
package final class Digest {
    private enum Hash {
        case md5(Insecure.MD5)
        case sha1(Insecure.SHA1)
        case sha224(SHA224)
        case sha256(SHA256)
        case sha384(SHA384)
        case sha512(SHA512)
    }

    package let algorithm: Checksum.Algorithm
    private var hash: Hash

    package init(_ algorithm: Checksum.Algorithm) {
        self.algorithm = algorithm
        hash =
            switch algorithm {
            case .md5: .md5(Insecure.MD5())
            case .sha1: .sha1(Insecure.SHA1())
            case .sha224: .sha224(SHA224())
            case .sha256: .sha256(SHA256())
            case .sha384: .sha384(SHA384())
            case .sha512: .sha512(SHA512())
            }
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        let old = hash
        // A hash with two owners would be copied.
        hash = Self.none
        switch consume old {
        case .md5(var value):
            value.update(bufferPointer: bytes)
            hash = .md5(value)
        case .sha1(var value):
            value.update(bufferPointer: bytes)
            hash = .sha1(value)
        case .sha224(var value):
            value.update(bytes)
            hash = .sha224(value)
        case .sha256(var value):
            value.update(bufferPointer: bytes)
            hash = .sha256(value)
        case .sha384(var value):
            value.update(bufferPointer: bytes)
            hash = .sha384(value)
        case .sha512(var value):
            value.update(bufferPointer: bytes)
            hash = .sha512(value)
        }
    }

    private static let none = Hash.sha224(SHA224())

    /// Returns the checksum of the bytes so far.
    package func finish() -> Checksum {
        switch hash {
        case .md5(let value): checksum(value.finalize())
        case .sha1(let value): checksum(value.finalize())
        case .sha224(let value): checksum(value.finalize())
        case .sha256(let value): checksum(value.finalize())
        case .sha384(let value): checksum(value.finalize())
        case .sha512(let value): checksum(value.finalize())
        }
    }

    private func checksum(_ bytes: some Sequence<UInt8>) -> Checksum {
        var hex = ""
        for byte in bytes {
            let digits = String(byte, radix: 16)
            hex += digits.utf8.count == 1 ? "0\(digits)" : digits
        }
        return Checksum(algorithm, hex: hex)
    }

    package static func of(_ bytes: UnsafeRawBufferPointer, _ algorithm: Checksum.Algorithm) -> Checksum {
        let digest = Digest(algorithm)
        digest.update(bytes)
        return digest.finish()
    }

    package static func of(_ bytes: [UInt8], _ algorithm: Checksum.Algorithm) -> Checksum {
        bytes.withUnsafeBytes { of($0, algorithm) }
    }

    package static func compare(_ found: Checksum, with expected: Checksum, of name: String) throws(RepodataError) {
        guard found == expected else {
            throw RepodataError(.checksumMismatch, "\(name) has the checksum \(found), but \(expected) was expected")
        }
    }
}

extension Checksum.Algorithm {
    /// The number of hexadecimal digits of a digest.
    package var hexLength: Int {
        switch self {
        case .md5: 32
        case .sha1: 40
        case .sha224: 56
        case .sha256: 64
        case .sha384: 96
        case .sha512: 128
        }
    }
}
