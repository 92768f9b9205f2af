import Foundation
import Glibc

/// The time of this host, in seconds since 1970.
enum WallClock {
    static func seconds() -> Double { Date().timeIntervalSince1970 }
}

extension HostCheck {
    /// The limit of open files below which a warning is given. A few hundred clients use up a smaller
    /// limit.
    static let fewestOpenFiles: UInt64 = 1024

    func openFiles() -> [HostFinding] {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < Self.fewestOpenFiles else { return [] }
        return [
            HostFinding(
                severity: .warning, problem: "This process may have \(limit.rlim_cur) files open. Each client and each download takes one.",
                remedy: "Set LimitNOFILE=65536 in the systemd unit, or call ulimit -n 65536 before the start.")
        ]
    }

    /// Checks the locale. Programs that the service starts, such as xorriso, take names for ASCII if the
    /// locale is not a UTF-8 one.
    func locale() -> [HostFinding] {
        let environment = ProcessInfo.processInfo.environment
        let remedy = "Set LC_ALL=C.UTF-8 in the environment of the service."
        guard let locale = newlocale(1 << LC_CTYPE, "", nil) else {
            let name = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
            return [HostFinding(severity: .warning, problem: "The locale \(name) is not installed on this host.", remedy: remedy)]
        }
        defer { freelocale(locale) }
        let characters = nl_langinfo_l(nl_item(CODESET), locale).map { String(cString: $0) } ?? ""
        guard characters != "UTF-8" else { return [] }
        return [HostFinding(severity: .warning, problem: "The locale's character set is \(characters), not UTF-8.", remedy: remedy)]
    }

    /// The year before which the host's clock must be wrong.
    static let firstYear = 2025

    func clock() -> [HostFinding] {
        let year = Calendar(identifier: .gregorian).component(.year, from: Date())
        guard year < Self.firstYear else { return [] }
        return [
            HostFinding(
                severity: .warning, problem: "This host's clock says that it is the year \(year).",
                remedy: "Let NTP set it, as with chrony or systemd-timesyncd. TLS certificates are refused until then.")
        ]
    }

    /// Checks for programs that some composes need.
    func programs() -> [HostFinding] {
        var findings: [HostFinding] = []
        func need(_ program: String, _ purpose: String, package: String) {
            guard !Self.isInstalled(program) else { return }
            findings.append(
                HostFinding(
                    severity: .warning, problem: "There is no program \(program) in PATH: \(purpose).",
                    remedy: "Install the package \(package)."))
        }
        need("xorriso", "composes with images fail", package: "xorriso")
        need("git", "composes of the type raw_config and module defaults from git fail", package: "git")
        if configuration.signing != nil { need("gpg", "repomd.xml cannot be signed", package: "gnupg") }
        return findings
    }

    private static func isInstalled(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
}
