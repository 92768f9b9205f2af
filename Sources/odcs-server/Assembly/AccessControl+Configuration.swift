import ComposeFrontend
import ComposeStore
import Foundation
import Identity
import SystemPackage

extension ServerConfiguration {
    /// Returns the access control of a frontend with this configuration.
    ///
    /// - Parameter store: The store of API tokens. Without it, the providers are only checked.
    /// - Throws: ``ConfigurationError`` if a provider cannot be used.
    func accessControl(store: ComposeStore?) throws -> AccessControl {
        let proxy = try auth.proxy.map { try $0.trustedProxy() }
        let chain =
            auth.mechanisms.isEmpty ? nil : IdentityChain(try auth.mechanisms.flatMap { try providers(of: $0, proxy: proxy, store: store) })
        return AccessControl(
            chain: chain, rules: access, proxy: proxy, privateTargets: composes.targets.compactMapValues(\.readers))
    }

    /// Returns the identity providers of a mechanism.
    private func providers(of mechanism: Auth.Mechanism, proxy: TrustedProxy?, store: ComposeStore?) throws -> [any IdentityProvider] {
        switch mechanism {
        case .proxy: return proxy.map { [ProxyProvider($0)] } ?? []
        case .tokens: return store.map { [TokenProvider(store: $0)] } ?? []
        // A chain without a provider would refuse everyone, and say nothing about the reason.
        case .openid: throw missing(mechanism)
        case .workloads: throw missing(mechanism)
        case .kerberos: throw missing(mechanism)
        case .certificates: throw missing(mechanism)
        }
    }

    private func missing(_ mechanism: Auth.Mechanism) -> ConfigurationError {
        ConfigurationError(
            file: "the configuration", line: nil, key: "auth.mechanisms",
            message: "has \(mechanism.rawValue), which this version does not have. Remove it there")
    }
}

extension ServerConfiguration.Auth.Proxy {
    /// Returns the proxy with its secret, which is the first line of its file.
    fileprivate func trustedProxy() throws -> TrustedProxy {
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
