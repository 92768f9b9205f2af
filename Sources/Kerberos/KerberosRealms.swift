import ForeignText
import Identity

/// Kerberos realms are the realms whose principals may use the service, and the rule for their account
/// names.
///
/// A KDC can trust the KDCs of other realms. A ticket alone therefore does not show that its principal
/// belongs to the operator's realm.
public struct KerberosRealms: Hashable, Sendable {
    /// The names of the realms. They are compared by bytes.
    public let allowed: [String]
    /// The realm whose principals have accounts without a realm: `joe@EXAMPLE.ORG` is then `joe`. `nil` if
    /// each account has its realm.
    public let stripped: String?

    public init(allowed: [String], stripped: String? = nil) {
        self.allowed = allowed
        self.stripped = stripped
    }

    /// Returns the account of a principal.
    ///
    /// - Throws: ``CredentialFailure/forbidden(_:)`` for a principal that may not use the service.
    func account(of principal: KerberosPrincipal) throws(CredentialFailure) -> AccountName {
        guard allowed.contains(where: { $0.hasSameBytes(as: principal.realm) }) else {
            throw .forbidden("The realm of your Kerberos ticket is not one of those that this service accepts.")
        }
        let isStripped = stripped.map { $0.hasSameBytes(as: principal.realm) } ?? false
        do {
            return try AccountName(isStripped ? principal.name : "\(principal.name)@\(principal.realm)")
        } catch {
            throw .forbidden("The name of your Kerberos principal \(error.reason). It cannot be an account of this service.")
        }
    }
}
