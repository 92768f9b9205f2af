import Foundation

/// A user name and a password for a registry.
struct Credentials: Hashable, Sendable {
    let user: String
    let password: String

    /// The value of the header `Authorization` (RFC 7617).
    var basic: String { "Basic " + Data("\(user):\(password)".utf8).base64EncodedString() }
}
