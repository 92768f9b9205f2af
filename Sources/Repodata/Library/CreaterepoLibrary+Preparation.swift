import CCreaterepo
import CRPM
import CXML2
import Compression
import Glibc

extension CreaterepoLibrary {
    /// Whether librpm, libxml2 and libcreaterepo_c are ready. Reading it for the first time prepares them.
    /// This must happen once per process, before their first use.
    static let isReady: Bool = {
        xmlInitParser()
        // All three libraries report failures to the caller and also print them, with paths of this host. Only
        // the report is wanted.
        rpmlogSetMask(Int32((1 << (RPMLOG_CRIT.rawValue + 1)) - 1))
        let levels = [G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG]
        g_log_set_handler("C_CREATEREPOLIB", GLogLevelFlags(levels.reduce(0) { $0 | $1.rawValue }), { _, _, _, _ in }, nil)
        // After an error in a long text, the snippet parsers of 0.17.3 continue and set the error again for
        // each piece. GLib warns about each one and prints the whole text.
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
}
