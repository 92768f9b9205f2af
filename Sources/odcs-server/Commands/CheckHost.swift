import ArgumentParser
import Postgres
import Repodata
import ServiceConfiguration
import ServiceLog

struct CheckHost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-host", abstract: "Check this host, and list what to install or to change.",
        discussion: "Call it as the user that the service runs as. Exit status 1 when the service could not make composes here.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        var findings = HostCheck(configuration: configuration).findings()
        if configuration.database.url != nil {
            let logger = configuration.log.begin()
            let database = try await Database.start(configuration, as: .visitor, logger: logger)
            findings += try await HostCheck.clock(of: database.pool)
            await database.close(logger: logger)
        }
        print("Libraries: \(HostCheck.libraries.map(\.description).joined(separator: ", ")).")
        for finding in findings { print("\(finding.severity == .fatal ? "Error" : "Warning"): \(finding)") }
        let fatal = findings.filter { $0.severity == .fatal }
        guard fatal.isEmpty else { throw ExitCode(1) }
        print(findings.isEmpty ? "This host is fine." : "The service can run here.")
    }
}
