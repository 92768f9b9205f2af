public import ComposeModel
import Foundation
import NIOSSL
public import SystemPackage

/// Which Pulp is asked, and how: what an operator configures.
public struct PulpServer: Hashable, Sendable {
    /// The two generations of Pulp, which have nothing in common but their purpose.
    public enum Version: Int, Hashable, Sendable, CaseIterable {
        case pulp2 = 2
        case pulp3 = 3
    }

    /// How this service proves to Pulp who it is. It describes itself without what is secret.
    public enum Authentication: Hashable, Sendable {
        case none
        /// A TLS client certificate and its key, both PEM files; how Pulp 2 is used.
        case certificate(FilePath, key: FilePath)
        /// HTTP Basic.
        case password(String, user: String)
    }

    /// How much is read from Pulp, and how patiently.
    public struct Limits: Hashable, Sendable {
        /// How Pulp is asked.
        public var asking = WebServiceLimits()
        /// Repositories of one compose.
        public var repositories: Int = 10_000
        /// How many repositories Pulp 3 is asked for at once.
        public var pageSize: Int = 100

        public init() {}
    }

    public typealias ConfigurationError = WebServiceConfigurationError

    public let version: Version
    public let authentication: Authentication
    /// The certificates that Pulp's own is checked against, a PEM file; `nil` for those of the system.
    public let caFile: FilePath?
    public let limits: Limits
    /// The address below which all resources of the API are.
    let api: RepositoryURL
    /// The address that `relative_url` of Pulp 2 is relative to.
    let content: RepositoryURL

    /// - Parameter url: where Pulp is, as `https://pulp.example.org`, whose API is below `/pulp/api/v3/`; or the address of the API itself, ending in
    ///   `/api/v3` (or `/api/v2`), for a Pulp that has it elsewhere.
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

    /// Throws `.sourceNotUsable` for a name that this Pulp cannot be asked for, by its text alone: what can be refused before a compose begins.
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

    /// More repositories than can be meant.
    func tooMany(_ count: Int) -> ComposeFailure {
        ComposeFailure(
            .limitExceeded,
            "\(service.subject) has \(count) repositories for the names in this request; between 0 and \(limits.repositories) are possible. "
                + "Ask for fewer content sets at once.")
    }

    /// The configuration of TLS, `nil` where the HTTP client's own will do; reads the files.
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

    /// The value of the header `Authorization`, `nil` for none.
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

    /// What `dump` and reflection show: nothing more than ``description``.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .enum) }
}
