package import CCreaterepo

/// libcreaterepo_c, which reads and writes rpm-md and computes its checksums.
package enum CreaterepoLibrary {
    /// Calls libcreaterepo_c. If the call leaves a GError, throws it as a ``RepodataError`` about
    /// `subject`.
    package static func call<Result>(
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
