public import ComposeModel
import Identity

extension TokenDocument {
    /// Creates the document of a token, without its text.
    public init(_ token: APIToken) {
        self.init(
            id: token.id, owner: token.owner.text, groups: token.groups.sorted(), note: token.note,
            scopes: token.scopes.map(\.rawValue).sorted(), rule: token.rule, repositories: token.repositories,
            timeCreated: ComposeDocument.format(token.createdAt), createdBy: token.createdBy)
        timeRotated = token.rotatedAt.map(ComposeDocument.format)
        oldSecretUntil = token.oldSecretUntil.map(ComposeDocument.format)
        timeToExpire = token.expiresAt.map(ComposeDocument.format)
        timeUsed = token.usedAt.map(ComposeDocument.format)
        usedFrom = token.usedFrom
        timeRevoked = token.revokedAt.map(ComposeDocument.format)
        revokedBy = token.revokedBy
    }
}
