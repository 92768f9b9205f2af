import Depsolve
import Logging
import Modules
import Postgres
import Repodata

/// A host check examines the host before the service starts. A missing package or a wrong mode is found
/// then, and not in the middle of a compose.
struct HostCheck: Sendable {
    let configuration: ServerConfiguration

    /// Returns all findings that need no database, the fatal ones first.
    func findings() -> [HostFinding] {
        let all = libraries() + writeAccess() + programs() + imageBuilds() + hardLinks() + openFiles() + locale() + clock()
        return all.filter { $0.severity == .fatal } + all.filter { $0.severity == .warning }
    }

    /// Logs the warnings of ``findings()``.
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

    /// The libraries that the service uses, with their versions on this host.
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

    /// The difference between two clocks, in seconds, above which a warning is given.
    static let clockTolerance = 5.0

    /// Compares the clocks of this host and of the database.
    static func clock(of pool: PostgresPool) async throws -> [HostFinding] {
        let before = WallClock.seconds()
        let rows = try await pool.query("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
        let after = WallClock.seconds()
        guard let database = try rows.first?.decode(Double.self, "now") else { return [] }
        return clock(ahead: (before + after) / 2 - database)
    }

    /// Returns a warning if the clocks differ too much.
    ///
    /// - Parameter ahead: The number of seconds by which this host's clock is ahead of the database's
    ///   clock.
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
