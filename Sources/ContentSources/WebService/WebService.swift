import ComposeModel
import Foundation
import NIOSSL
import SystemPackage

/// A *web service* is a service with an HTTP API that answers in JSON. This type holds its address, its
/// authentication, its limits and its names for error messages.
struct WebService: Sendable {
    /// The service's name in the middle of a sentence, for example "Pulp" or "the Module Build Service".
    let title: String
    /// The version that the configuration names, for example "Pulp 3". `nil` if the configuration does not
    /// name one.
    let edition: String?
    /// The things that the service lists, for example "repositories".
    let contents: String
    /// The end of a sentence about how to get shorter answers: "ask for fewer content sets at once". `nil`
    /// if users cannot change the size.
    let remedy: String?
    /// The URL below which all resources of the API are.
    let api: RepositoryURL
    let authentication: Authentication
    let limits: WebServiceLimits

    /// The credentials with which ODCS authenticates to the service.
    struct Authentication: Sendable {
        /// A description of the credentials, for example "a user name and password". `nil` if the configuration
        /// has none.
        var credentials: String?
        /// The value of the header `Authorization`.
        var header: String?
        /// Whether the service may ask for a client certificate.
        var mayBeCertificate = false
    }

    /// The name with the address, in the middle of a sentence: "Pulp at https://pulp.example.org".
    var name: String { "\(title) at \(api.origin)" }

    /// ``name`` at the beginning of a sentence.
    var subject: String { name.prefix(1).uppercased() + name.dropFirst() }
}

/// A setting of a web service that cannot be used. The description is for the operator, and has no
/// paths or secrets.
public struct WebServiceConfigurationError: Error, Hashable, CustomStringConvertible {
    public let description: String

    /// Returns the error for a text that is not a valid address.
    static func address(of title: String, _ objection: RepositoryURL.Objection) -> Self {
        Self(description: "The address of \(title) cannot be used: \(objection.reason).")
    }
}

extension TLSConfiguration {
    /// Returns the TLS configuration of a client that trusts the authorities in a PEM file. Without a file
    /// it trusts those of the system.
    ///
    /// Throws if the file cannot be read or holds no certificate in PEM form.
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
