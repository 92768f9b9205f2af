public import ComposeModel
import Foundation
import NIOSSL
public import SystemPackage

/// The operator's settings for a Pulp server: its address, version, credentials and limits.
public struct PulpServer: Hashable, Sendable {
    /// The two generations of Pulp. Their APIs have nothing in common.
    public enum Version: Int, Hashable, Sendable, CaseIterable {
        case pulp2 = 2
        case pulp3 = 3
    }

    /// The credentials with which ODCS authenticates to Pulp. The type's description does not show secrets.
    public enum Authentication: Hashable, Sendable {
        case none
        /// A TLS client certificate and its key, both PEM files. This is the usual way for Pulp 2.
        case certificate(FilePath, key: FilePath)
        /// HTTP Basic.
        case password(String, user: String)
    }

    /// The limits on the data read from Pulp, and on repeated requests.
    public struct Limits: Hashable, Sendable {
        /// The limits of one answer, and the number of attempts.
        public var asking = WebServiceLimits()
        /// The maximum number of repositories of one compose.
        public var repositories: Int = 10_000
        /// The number of repositories in one page of a list of Pulp 3.
        public var pageSize: Int = 100

        public init() {}
    }

    public typealias ConfigurationError = WebServiceConfigurationError

    public let version: Version
    public let authentication: Authentication
    /// A PEM file with the certificates that Pulp's certificate is checked against. `nil` for the system's
    /// certificates.
    public let caFile: FilePath?
    public let limits: Limits
    /// The URL below which all resources of the API are.
    let api: RepositoryURL
    /// The URL that `relative_url` of Pulp 2 is relative to.
    let content: RepositoryURL

    /// - Parameter url: The address of Pulp, for example `https://pulp.example.org`, whose API is below
    ///   `/pulp/api/v3/`. If Pulp has its API elsewhere, it is the address of the API itself, which ends in
    ///   `/api/v3` or `/api/v2`.
    public init(
        url: String, version: Version, authentication: Authentication = .none, caFile: FilePath? = nil, limits: Limits = Limits()
    ) throws(ConfigurationError) {
        if case .password(_, let user) = authentication, user.isEmpty || user.contains(":") {
            throw ConfigurationError(description: "The user name for Pulp cannot be used: it is empty or contains a colon.")
        }
        self.version = version
        self.authentication = authentication
        self.caFile = caFile
        self.limits = limits
        do {
            let url = try RepositoryURL(url).appending(href: "")
            let tail = ["api", "v\(version.rawValue)"]
            if url.names.suffix(2) == tail[...] {
                api = url
                content = try url.appending(href: url.names.suffix(3).first == "pulp" ? "../../.." : "../..")
            } else {
                api = try url.appending(href: "pulp/" + tail.joined(separator: "/"))
                content = url
            }
        } catch {
            throw .address(of: "Pulp", error)
        }
    }

    /// Throws `.sourceNotUsable` for a name that this Pulp's queries cannot carry. The check looks only at
    /// the text, so it works before a compose begins.
    public func check(_ names: [String]) throws(ComposeFailure) {
        guard version == .pulp3 else { return }
        for name in names { try Pulp3Filter.check(name) }
    }
}

extension PulpServer {
    var service: WebService {
        WebService(
            title: "Pulp", edition: "Pulp \(version.rawValue)", contents: "repositories", remedy: "ask for fewer content sets at once",
            api: api,
            authentication: .init(
                credentials: authentication == .none ? nil : authentication.description, header: authorization, mayBeCertificate: true),
            limits: limits.asking)
    }

    /// Returns the failure for an answer with more repositories than a compose may have.
    func tooMany(_ count: Int) -> ComposeFailure {
        ComposeFailure(
            .limitExceeded,
            "\(service.subject) has \(count) repositories for the names in this request; between 0 and \(limits.repositories) are possible. "
                + "Ask for fewer content sets at once.")
    }

    /// Returns the TLS configuration, or `nil` if the HTTP client's own is sufficient. Reads the
    /// certificate files.
    ///
    /// Throws if one of the files cannot be read or does not hold PEM data.
    func tlsConfiguration() throws(ConfigurationError) -> TLSConfiguration? {
        var tls = try TLSConfiguration.client(trusting: caFile, for: "Pulp")
        if case .certificate(let certificate, let key) = authentication {
            do {
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate.string).map { .certificate($0) }
            } catch {
                throw ConfigurationError(
                    description: "The client certificate for Pulp cannot be read, or its file holds no certificate in PEM form.")
            }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: key.string, format: .pem))
            } catch {
                throw ConfigurationError(
                    description:
                        "The key of the client certificate for Pulp cannot be read, or its file holds no key in PEM form without a passphrase."
                )
            }
        } else if caFile == nil {
            return nil
        }
        return tls
    }

    /// The value of the header `Authorization`, or `nil` if Pulp is asked without a password.
    private var authorization: String? {
        guard case .password(let password, let user) = authentication else { return nil }
        return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}

extension PulpServer.Authentication: CustomStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .none: "no credentials"
        case .certificate: "a client certificate"
        case .password: "a user name and password"
        }
    }

    /// A mirror for `dump` and reflection that has no children, so that it shows nothing more than
    /// ``description``.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .enum) }
}
