import ComposeWorker
import ContentSources
import Foundation
import Koji
import ServiceConfiguration
import SystemPackage

/// The keys of the systems that composes can be made from. Each system is optional.
extension ConfigurationReader {
    /// Returns the rules for requests from the keys below `koji`.
    mutating func kojiRules(of profile: KojiProfile?) throws -> ServerConfiguration.KojiRules {
        let rules = ServerConfiguration.KojiRules(
            allowReference: try bool("koji.allow_reference", default: false),
            unsignedWaitSeconds: try int("koji.unsigned_wait_seconds", default: 3600, in: 1...2_592_000),
            unsignedRetrySeconds: try int("koji.unsigned_retry_seconds", default: 60, in: 1...86_400))
        if rules.allowReference, let profile, profile.topurl == nil {
            throw mistake("koji.allow_reference", "needs koji.topurl, where clients find the packages")
        }
        return rules
    }

    /// Returns the Pulp server from the keys below `pulp`, or `nil` without `pulp.url`.
    mutating func pulpServer() throws -> PulpServer? {
        let url = try optionalString("pulp.url")
        let version = try int("pulp.version", default: 3, in: 2...3)
        let certificate = try optionalPath("pulp.certificate")
        let key = try optionalPath("pulp.key")
        let user = try optionalString("pulp.user")
        let passwordFile = try optionalPath("pulp.password_file")
        let ca = try optionalPath("pulp.ca")
        guard let url else { return nil }
        for (key, file) in [("pulp.certificate", certificate), ("pulp.key", key), ("pulp.ca", ca)] { try checkReadable(file, key) }
        guard (certificate == nil) == (key == nil) else {
            throw mistake(certificate == nil ? "pulp.key" : "pulp.certificate", "needs pulp.certificate and pulp.key together")
        }
        guard (user == nil) == (passwordFile == nil) else {
            throw mistake(user == nil ? "pulp.password_file" : "pulp.user", "needs pulp.user and pulp.password_file together")
        }
        var authentication = PulpServer.Authentication.none
        if let certificate, let key { authentication = .certificate(certificate, key: key) }
        if let user, let passwordFile {
            guard certificate == nil else { throw mistake("pulp.user", "cannot be used together with pulp.certificate") }
            authentication = .password(try secret(in: passwordFile, "pulp.password_file"), user: user)
        }
        do {
            return try PulpServer(
                url: url, version: PulpServer.Version(rawValue: version) ?? .pulp3, authentication: authentication, caFile: ca)
        } catch {
            throw mistake("pulp.url", error.description)
        }
    }

    /// Returns the settings of Pungi from the keys below `raw_config`, or `nil` without
    /// `raw_config.pungi_koji`.
    mutating func pungiConfiguration() throws -> PungiConfiguration? {
        let executable = try optionalString("raw_config.pungi_koji")
        let validator = try optionalString("raw_config.pungi_config_validate")
        let arguments = try strings("raw_config.arguments", default: [])
        let timeLimit = try int("raw_config.timeout_seconds", default: 3600, in: 1...864_000)
        var rawConfigs: [String: PungiConfiguration.RawConfig] = [:]
        for name in try names(below: "raw_config.configs") {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0.isNameByte }) else {
                throw mistake(
                    "raw_config.configs", "has the name \(name), which no request can give: it is made of letters, digits, - and _")
            }
            rawConfigs[name] = try rawConfig(below: "raw_config.configs.\(name)")
        }
        guard let executable else { return nil }
        var pungi = PungiConfiguration(executable: executable, rawConfigs: rawConfigs)
        pungi.validator = validator
        pungi.arguments = arguments
        pungi.timeLimit = .seconds(timeLimit)
        return pungi
    }

    private mutating func rawConfig(below key: String) throws -> PungiConfiguration.RawConfig {
        let url = try string("\(key).url", default: "")
        let filename = try string("\(key).config_filename", default: "")
        guard !url.isEmpty, !filename.isEmpty else { throw mistake(key, "needs url and config_filename") }
        let arguments = try strings("\(key).arguments", default: [])
        return PungiConfiguration.RawConfig(
            url: url, configFilename: filename, path: try optionalString("\(key).path"), commit: try optionalString("\(key).commit"),
            wrapper: try optionalPath("\(key).wrapper"), arguments: arguments.isEmpty ? nil : arguments,
            schemaOverride: try optionalPath("\(key).schema_override"))
    }
}
