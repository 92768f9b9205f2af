import CCreaterepo
import CRPM
import CXML2
import Glibc

/// What librpm, libxml2 and libcreaterepo_c need once a process before their first use.
enum CreaterepoLibrary {
    /// Reading it for the first time prepares the libraries.
    static let isReady: Bool = {
        xmlInitParser()
        // All three report failures to the caller and print them as well, with paths of this host; only the first is wanted.
        rpmlogSetMask(Int32((1 << (RPMLOG_CRIT.rawValue + 1)) - 1))
        let levels = [G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG]
        g_log_set_handler("C_CREATEREPOLIB", GLogLevelFlags(levels.reduce(0) { $0 | $1.rawValue }), { _, _, _, _ in }, nil)
        // The snippet parsers of 0.17.3 go on after an error in a long text and set it again for each piece, of which GLib complains with all the text.
        g_log_set_handler(
            "GLib", G_LOG_LEVEL_WARNING,
            { domain, level, message, data in
                if let message, strncmp(message, "GError set over the top", 23) == 0 { return }
                g_log_default_handler(domain, level, message, data)
            }, nil)
        return rpmReadConfigFiles(nil, nil) == 0
    }()

    static func prepare() throws(RepodataError) {
        guard isReady else {
            throw RepodataError(
                .host, "librpm's configuration (rpmrc and macros) is missing or cannot be read; on Debian the package rpm-common has it")
        }
    }

    /// Calls into libcreaterepo_c and throws the GError that it leaves, as one of ours about `subject`.
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
