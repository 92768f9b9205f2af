package import CCreaterepo

/// A checksum that is being computed: it takes bytes in order and returns one ``Checksum`` at the end.
///
/// It uses libcreaterepo_c, because rpm-md allows SHA-224, which swift-crypto does not have.
package final class Digest {
    package let algorithm: Checksum.Algorithm
    private var context: OpaquePointer?

    package init(_ algorithm: Checksum.Algorithm) throws(RepodataError) {
        self.algorithm = algorithm
        context = try CreaterepoLibrary.call(algorithm.rawValue, .unsupported) { cr_checksum_new(algorithm.createrepoType, $0) }
    }

    deinit {
        if let context { g_free(cr_checksum_final(context, nil)) }
    }

    package func update(_ bytes: UnsafeRawBufferPointer) throws(RepodataError) {
        _ = try CreaterepoLibrary.call(algorithm.rawValue, .unsupported) { cr_checksum_update(context, bytes.baseAddress, bytes.count, $0) }
    }

    /// Ends the computation and returns the checksum. Nothing may be added afterwards.
    package func finish() throws(RepodataError) -> Checksum {
        let ended = context
        context = nil
        let hex = try CreaterepoLibrary.call(algorithm.rawValue, .unsupported) { cr_checksum_final(ended, $0) }
        guard let hex else { throw RepodataError(.unsupported, "\(algorithm.rawValue): no digest") }
        defer { g_free(hex) }
        return Checksum(algorithm, hex: String(cString: hex))
    }

    package static func of(_ bytes: UnsafeRawBufferPointer, _ algorithm: Checksum.Algorithm) throws(RepodataError) -> Checksum {
        let digest = try Digest(algorithm)
        try digest.update(bytes)
        return try digest.finish()
    }

    package static func of(_ bytes: [UInt8], _ algorithm: Checksum.Algorithm) throws(RepodataError) -> Checksum {
        try bytes.withUnsafeBufferPointer { (buffer) throws(RepodataError) in try of(UnsafeRawBufferPointer(buffer), algorithm) }
    }

    package static func compare(_ found: Checksum, with expected: Checksum, of name: String) throws(RepodataError) {
        guard found == expected else {
            throw RepodataError(.checksumMismatch, "\(name) has the checksum \(found), but \(expected) was expected")
        }
    }
}

extension Checksum.Algorithm {
    package var createrepoType: cr_ChecksumType {
        switch self {
        case .md5: CR_CHECKSUM_MD5
        case .sha1: CR_CHECKSUM_SHA1
        case .sha224: CR_CHECKSUM_SHA224
        case .sha256: CR_CHECKSUM_SHA256
        case .sha384: CR_CHECKSUM_SHA384
        case .sha512: CR_CHECKSUM_SHA512
        }
    }

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
