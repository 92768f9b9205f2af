import CCreaterepo
import Compression

/// libcreaterepo_c, which reads and writes rpm-md.
enum CreaterepoLibrary {
    /// Calls libcreaterepo_c. If the call leaves a GError, throws it as a ``RepodataError`` about
    /// `subject`.
    static func call<Result>(
        _ subject: String, _ code: RepodataError.Code,
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<GError>?>) -> Result
    ) throws(RepodataError) -> Result {
        var error: UnsafeMutablePointer<GError>?
        let result = body(&error)
        if let failure = error {
            defer { g_error_free(failure) }
            let message = failure.pointee.message.map { String(cString: $0) } ?? "unknown error"
            throw RepodataError(code, "\(subject): \(message.prefix(300))")
        }
        return result
    }
}

extension Checksum.Algorithm {
    var createrepoType: cr_ChecksumType {
        switch self {
        case .md5: CR_CHECKSUM_MD5
        case .sha1: CR_CHECKSUM_SHA1
        case .sha224: CR_CHECKSUM_SHA224
        case .sha256: CR_CHECKSUM_SHA256
        case .sha384: CR_CHECKSUM_SHA384
        case .sha512: CR_CHECKSUM_SHA512
        }
    }
}
