public import ComposeModel
import Foundation
import NIOHTTP1

extension Call {
    private static let tokens = "/api/1/tokens"

    static let me = Call(method: .GET, path: "/api/1/me")
    static let tokenList = Call(method: .GET, path: tokens)
    static func createToken(_ submission: TokenSubmission) throws -> Call {
        Call(method: .POST, path: tokens, body: try JSONEncoder().encode(submission))
    }
    static func rotateToken(_ id: String, _ rotation: TokenRotation) throws -> Call {
        Call(method: .POST, path: "\(tokens)/\(id)/rotate", body: try JSONEncoder().encode(rotation))
    }
    static func revokeToken(_ id: String) -> Call { Call(method: .DELETE, path: "\(tokens)/\(id)", isIdempotent: true) }
}

// API tokens, and the account that the service sees.
extension ComposeClient {
    /// Returns the account of this client's credentials, as the service sees it. The members depend on the
    /// service's version.
    public func me() async throws -> JSONValue { try await transport.answer(.me) }

    /// Returns the tokens of the account that are neither revoked nor expired.
    public func tokens() async throws -> TokenList { try await transport.answer(.tokenList) }

    /// Makes a token. Its text is in the answer and cannot be shown again.
    public func createToken(_ submission: TokenSubmission) async throws -> TokenDocument {
        try await transport.answer(.createToken(submission))
    }

    /// Gives a token a new secret, which is in the answer.
    public func rotateToken(_ id: String, _ rotation: TokenRotation = TokenRotation()) async throws -> TokenDocument {
        try await transport.answer(.rotateToken(id, rotation))
    }

    /// Revokes a token. A token that was revoked before is unchanged.
    public func revokeToken(_ id: String) async throws -> TokenDocument { try await transport.answer(.revokeToken(id)) }
}
