import HTTPEnvironment
import ImageModel
import Logging
import Registry
import SystemPackage
import TOMLKit

/// The section `[registries]` of the settings file.
///
/// Example:
///
///     [registries]
///     insecure = ["registry.example.org:5000"]
///     mirrors = { "docker.io" = ["mirror.example.org"] }
struct RegistrySettings: Equatable {
    /// The registries that are spoken to without TLS.
    var insecure: Set<RegistryHost> = []
    /// For each registry, the registries that are asked before it.
    var mirrors: [RegistryHost: [RegistryHost]] = [:]
    var isLoopbackInsecure = false

    /// Returns the settings of the user.
    static func current(in console: Console, isLoopbackInsecure: Bool) throws -> RegistrySettings {
        var settings = try SettingsFile.find(in: console)?.registries ?? RegistrySettings()
        settings.isLoopbackInsecure = isLoopbackInsecure
        return settings
    }

    /// Runs `body` with a client of registries.
    func withClient<Result: Sendable>(in console: Console, _ body: (RegistryClient) async throws -> Result) async throws -> Result {
        let configuration = RegistryConfiguration(
            insecureHosts: insecure, isLoopbackInsecure: isLoopbackInsecure, mirrors: mirrors,
            credentials: CredentialFiles(environment: console.environment))
        let client = RegistryClient(
            configuration, environment: HTTPEnvironment(console.environment, bundle: "REQUESTS_CA_BUNDLE"), clock: console.clock,
            logger: Logger(label: "odcs") { _ in SwiftLogNoOpLogHandler() })
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }
}

extension RegistrySettings {
    /// A mistake in the section, with the key that has it.
    struct Mistake: Error {
        let key: String
        let text: String
    }

    /// - Throws: ``Mistake``.
    init(_ table: TOMLTable) throws {
        for (key, value) in table {
            switch key {
            case "insecure":
                insecure = Set(try Self.hosts(value, key))
            case "mirrors":
                guard let table = value.table else {
                    throw Mistake(key: key, text: "'mirrors' must be a table, as in { \"docker.io\" = [\"mirror.example.org\"] }")
                }
                for (host, value) in table { mirrors[try Self.host(host, key)] = try Self.hosts(value, key) }
            default:
                throw Mistake(key: key, text: "there is no key '\(key)'; there are insecure and mirrors")
            }
        }
    }

    private static func hosts(_ value: any TOMLValueConvertible, _ key: String) throws -> [RegistryHost] {
        guard let array = value.array else {
            throw Mistake(key: key, text: "'\(key)' must have a list of registries, as in [\"registry.example.org:5000\"]")
        }
        return try array.map { element in
            guard let text = element.string else { throw Mistake(key: key, text: "'\(key)' must be a list of texts in quotes") }
            return try host(text, key)
        }
    }

    private static func host(_ text: String, _ key: String) throws -> RegistryHost {
        do throws(ImageProblem) {
            return try RegistryHost(text)
        } catch {
            throw Mistake(key: key, text: "'\(key)': \(error.description)")
        }
    }
}
