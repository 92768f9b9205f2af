/// A scope is a kind of action that credentials were issued for. The first three are those of the
/// published ODCS.
public enum Scope: String, Hashable, Sendable, CaseIterable {
    case newCompose = "new-compose"
    case renewCompose = "renew-compose"
    case deleteCompose = "delete-compose"
    case buildImage = "build-image"
    case rebuild
    /// Adding, changing and removing nodes and farms, for an API token of an admin.
    case manageNodes = "manage-nodes"
    /// The rights of an admin, for an API token of an admin.
    case admin
}
