import Depsolve
import Logging
import Modules
import Postgres
import Repodata

/// Looks at the host before the service starts: a missing package or a wrong mode is found here, and not in the middle of a compose.
struct HostCheck: Sendable {
    let configuration: ServerConfiguration

    /// Everything that can be seen without the database, the fatal findings first.
    func findings() -> [HostFinding] {
        let all = libraries() + writeAccess() + programs() + hardLinks() + openFiles() + locale() + clock()
        return all.filter { $0.severity == .fatal } + all.filter { $0.severity == .warning }
    }

    /// Logs the warnings.
    ///
    /// - Throws: ``HostError`` with all fatal findings.
    func report(to logger: Logger) throws {
        let findings = findings()
        Self.log(findings.filter { $0.severity == .warning }, to: logger)
        let fatal = findings.filter { $0.severity == .fatal }
        guard fatal.isEmpty else { throw HostError(findings: fatal) }
    }

    static func log(_ warnings: [HostFinding], to logger: Logger) {
        for warning in warnings {
            logger.warning("the host could serve better", metadata: ["problem": "\(warning.problem)", "remedy": "\(warning.remedy)"])
        }
    }

    // MARK: Libraries

    /// The libraries that the service is made of, as they are on this host.
    static let libraries: [LibraryVersion] =
        LibraryVersion.repodata + [.libsolv, .libmodulemd, LibraryVersion(name: "libpq", running: PostgresLibrary.version)]

    private func libraries() -> [HostFinding] {
        var findings: [HostFinding] = []
        if !LibraryVersion.hasRPMConfiguration {
            findings.append(
                HostFinding(
                    severity: .fatal, problem: "librpm's configuration (rpmrc and macros) is missing on this host, or cannot be read.",
                    remedy: "Install the package rpm-common. If RPM_CONFIGDIR is set, it must name the directory with rpmrc."))
        }
        for library in Self.libraries where library.isOlderThanBuilt {
            let built = library.built ?? ""
            findings.append(
                HostFinding(
                    severity: .warning, problem: "\(library) is here, but this program was built for version \(built).",
                    remedy: "Install \(library.name) \(built) or newer, or build the program on this host."))
        }
        return findings
    }

    // MARK: The database

    /// How far the clocks may be apart before someone should know.
    static let clockTolerance = 5.0

    /// What is wrong about the clocks of this host and of the database.
    static func clock(of pool: PostgresPool) async throws -> [HostFinding] {
        let before = WallClock.seconds()
        let rows = try await pool.query("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
        let after = WallClock.seconds()
        guard let database = try rows.first?.decode(Double.self, "now") else { return [] }
        return clock(ahead: (before + after) / 2 - database)
    }

    /// - Parameter ahead: By how many seconds this host's clock is ahead of the database's.
    static func clock(ahead: Double) -> [HostFinding] {
        guard abs(ahead) > clockTolerance else { return [] }
        let direction = ahead > 0 ? "ahead of" : "behind"
        return [
            HostFinding(
                severity: .warning, problem: "This host's clock is \(Int(abs(ahead).rounded())) s \(direction) the database's clock.",
                remedy: "Let NTP set both clocks, as with chrony or systemd-timesyncd. The times in composes' files come from this host.")
        ]
    }
}
