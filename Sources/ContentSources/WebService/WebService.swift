import ComposeModel
import Foundation
import NIOSSL
import SystemPackage

/// A service that answers questions over HTTP in JSON: where it is, how it is asked, and what it is called when something goes wrong.
struct WebService: Sendable {
    /// What it is called in the middle of a sentence: "Pulp", "the Module Build Service".
    let title: String
    /// Which of its versions the configuration says that it is: "Pulp 3"; `nil` where it says nothing.
    let edition: String?
    /// What it has: "repositories".
    let contents: String
    /// What makes its answers shorter, as a sentence's end: "ask for fewer content sets at once"; `nil` where nobody has it in their hands.
    let remedy: String?
    /// The address below which all resources of the API are.
    let api: RepositoryURL
    let authentication: Authentication
    let limits: WebServiceLimits

    /// How this service proves who it is.
    struct Authentication: Sendable {
        /// "a user name and password"; `nil` where the configuration has nothing.
        var credentials: String?
        /// The value of the header `Authorization`.
        var header: String?
        /// Whether the other side may want a client certificate.
        var mayBeCertificate = false
    }

    /// "Pulp at https://pulp.example.org", in the middle of a sentence.
    var name: String { "\(title) at \(api.origin)" }

    /// ``name`` at the beginning of a sentence.
    var subject: String { name.prefix(1).uppercased() + name.dropFirst() }
}

/// A setting of a web service that cannot be meant; for the operator, without paths or secrets.
public struct WebServiceConfigurationError: Error, Hashable, CustomStringConvertible {
    public let description: String

    /// The address is none.
    static func address(of title: String, _ objection: RepositoryURL.Objection) -> Self {
        Self(description: "The address of \(title) cannot be used: \(objection.reason).")
    }
}

extension TLSConfiguration {
    /// That of a client who trusts the authorities whose certificates are in a PEM file; `nil`: those of the system.
    static func client(trusting caFile: FilePath?, for title: String) throws(WebServiceConfigurationError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        guard let caFile else { return tls }
        do {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile.string))
        } catch {
            throw WebServiceConfigurationError(
                description:
                    "The file of certificates that \(title)'s is checked against cannot be read, or holds no certificate in PEM form.")
        }
        return tls
    }
}
