import HTTPTypes
import Identity

@testable import ComposeFrontend

/// A provider that believes the name in a bearer token. All senders but `guest` are in the group `clients`.
struct NamedProvider: IdentityProvider {
    let name = "named"
    let challenge: String? = "Bearer realm=\"odcs\""
    /// The scopes of senders that have some.
    var scopes: [String: Set<Scope>] = ["renewer": [.renewCompose], "reader": []]

    func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard case .bearer(let token) = credentials.authorization else { return nil }
        do throws(AccountName.Problem) {
            let account = try AccountName(token.text)
            return Identity(
                account: account, provider: name, groups: token.text == "guest" ? [] : ["clients"], scopes: scopes[token.text])
        } catch {
            throw .wrong("The name in the token \(error.reason).")
        }
    }
}

extension AccessControl {
    /// An access control that believes every name. `admin` and `boss` are admins, and everybody but `guest`
    /// is a client.
    static var named: AccessControl {
        var everyone = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        everyone.repositories = .any
        return AccessControl(
            chain: IdentityChain([NamedProvider()]), rules: AccessRules(admins: Members(users: ["admin", "boss"]), clients: [everyone]))
    }
}

extension HTTPFields {
    /// The headers of a request by a sender that ``NamedProvider`` believes.
    static func by(_ name: String) -> HTTPFields { [.authorization: "Bearer \(name)"] }
}
