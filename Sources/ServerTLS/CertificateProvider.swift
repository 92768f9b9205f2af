public import Identity

/// A certificate provider recognizes the senders of requests by the certificates of their
/// connections.
///
/// The TLS layer has verified each certificate: its issuer, its time, and that the sender has its
/// key.
public struct CertificateProvider: IdentityProvider {
    /// The part of a certificate that is the name of the account.
    public enum Name: String, Hashable, Sendable, CaseIterable {
        /// The whole subject, as Apache writes it.
        case dn
        /// The common name.
        case cn
        /// The only mail address among the alternative names.
        case email
        /// The only URI among the alternative names.
        case uri
    }

    public let name = "certificates"
    /// A certificate is asked for in the handshake, and not by a header.
    public var challenge: String? { nil }
    private let user: Name
    private let isRevoked: @Sendable (String) -> Bool

    /// - Parameter isRevoked: Returns whether the certificate with that serial number was revoked.
    public init(user: Name, isRevoked: @escaping @Sendable (_ serial: String) -> Bool = { _ in false }) {
        self.user = user
        self.isRevoked = isRevoked
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard let certificate = credentials.certificate else { return nil }
        guard !isRevoked(certificate.serial) else { throw .wrong("The client certificate was revoked.") }
        let text: String? =
            switch user {
            case .dn: certificate.subject
            case .cn: certificate.commonName
            case .email: certificate.emails.count == 1 ? certificate.emails[0] : nil
            case .uri: certificate.uris.count == 1 ? certificate.uris[0] : nil
            }
        guard let text else { throw .wrong("The client certificate does not have exactly one name of the kind \(user.rawValue).") }
        do throws(AccountName.Problem) {
            return Identity(account: try AccountName(text), provider: name)
        } catch {
            throw .wrong("The name in the client certificate \(error.reason).")
        }
    }
}
