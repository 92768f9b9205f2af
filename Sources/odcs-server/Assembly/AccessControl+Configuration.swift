import ComposeFrontend
import Foundation
import Identity
import ServerTLS
import ServiceConfiguration
import SystemPackage

extension ServerConfiguration {
    /// Checks that each mechanism of `auth.mechanisms` has the settings that it needs.
    ///
    /// A chain without a provider would refuse everyone, and say nothing about the reason.
    /// - Throws: ``ConfigurationError``.
    func checkMechanisms() throws {
        for mechanism in auth.mechanisms {
            switch mechanism {
            case .tokens: break
            case .proxy: _ = try auth.proxy?.trustedProxy()
            case .openid: if openID.providers.isEmpty { throw missing("auth.openid.NAME", of: mechanism) }
            case .workloads: if openID.workloads.isEmpty { throw missing("auth.workloads.NAME", of: mechanism) }
            case .kerberos: if kerberos == nil { throw missing("auth.kerberos.keytab", of: mechanism) }
            case .certificates: if tls?.files.clientAuthorities == nil { throw missing("auth.certificates.ca", of: mechanism) }
            }
        }
    }

    private func missing(_ key: String, of mechanism: Auth.Mechanism) -> ConfigurationError {
        ConfigurationError(
            file: "the configuration", line: nil, key: "auth.mechanisms",
            message: "has \(mechanism.rawValue), which needs \(key). Set it, or remove \(mechanism.rawValue) there")
    }
}

extension ServerConfiguration.Auth.Proxy {
    /// Returns the proxy with its secret, which is the first line of its file.
    func trustedProxy() throws -> TrustedProxy {
        var secret: Secret?
        if let secretFile {
            let text = FileManager.default.contents(atPath: secretFile.string).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
            let line = text.split(whereSeparator: \.isNewline).first ?? ""
            guard line.utf8.count >= 16 else {
                throw ConfigurationError(
                    file: "the configuration", line: nil, key: "auth.proxy.secret_file",
                    message: "\(secretFile) cannot be read, or its first line is shorter than 16 characters")
            }
            secret = Secret(line)
        }
        return TrustedProxy(
            addresses: trusted, userHeader: userHeader, groupsHeader: groupsHeader, secretHeader: secretHeader, secret: secret)
    }
}
