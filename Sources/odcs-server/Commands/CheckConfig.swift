import ArgumentParser
import ContentSources
import Foundation
import Koji
import Logging
import ServerTLS
import ServiceConfiguration

struct CheckConfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check a configuration file, and list its mistakes with key and line.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Also require what this process needs: run, frontend, worker, builder or publisher.")
    var role: ProcessRole = .run

    func run() async throws {
        let configuration = try options.load()
        do {
            _ = try SourceAccess(
                allowedRoots: configuration.sources.allowedRoots, allowedURLPrefixes: configuration.sources.allowedURLs)
        } catch {
            throw ConfigurationError(file: options.config ?? "the defaults", line: nil, key: "sources", message: "\(error)")
        }
        try checkKoji(configuration)
        try checkTLS(configuration)
        try configuration.checkMechanisms()
        try role.check(configuration, file: options.config)
        print("\(options.config ?? "The defaults"): fine.")
        for finding in configuration.findings + (await surroundings(configuration)) {
            FileHandle.standardError.write(Data("Warning: \(finding)\n".utf8))
        }
    }

    /// Returns what this host or the service lacks. The file is right nevertheless: the service may run on
    /// another host, or as another user. A publisher, which needs neither sources nor targets, checks the
    /// file right before it starts.
    private func surroundings(_ configuration: ServerConfiguration) async -> [String] {
        guard role != .publisher else { return [] }
        let check = HostCheck(configuration: configuration)
        return await PublisherFindings.all(configuration, file: options.config) + (check.findings() + check.logins()).map(\.description)
    }

    /// Checks the files of TLS, which otherwise only a frontend reads when it starts.
    private func checkTLS(_ configuration: ServerConfiguration) throws {
        guard let tls = configuration.tls else { return }
        do throws(TLSFileProblem) { _ = try ServerTLS(tls.files, logger: Logger(label: "odcs-server")) } catch {
            throw ConfigurationError(file: options.config ?? "the defaults", line: nil, key: "frontend.tls", message: error.description)
        }
    }

    /// Checks the settings of Koji that otherwise only a worker reads when it starts. Throws
    /// ``ConfigurationError``.
    private func checkKoji(_ configuration: ServerConfiguration) throws {
        guard let koji = configuration.koji else { return }
        let mistake = { ConfigurationError(file: options.config ?? "the defaults", line: nil, key: "koji", message: $0) }
        do throws(KojiError) { try koji.checkCertificates() } catch { throw mistake(error.message) }
        do { _ = try SourceAccess(allowedRoots: koji.topdir.map { [$0] } ?? [], allowedURLPrefixes: []) } catch {
            throw mistake("\(error)")
        }
    }
}
