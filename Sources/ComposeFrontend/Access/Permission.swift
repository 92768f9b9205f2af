import Identity

/// A permission is the right that a handler declares to need.
enum Permission: Hashable, Sendable, CaseIterable {
    /// A known sender, even one that no rule names.
    case known
    /// A client: a sender that a rule of `access.clients` names, or an admin.
    case client
    /// A client that is a person, not an API token or a workload.
    case person
    case admin
    // A client whose credentials have the scope of the action. Its rules decide which requests it may
    // send, when the handler has read the request.
    case createCompose, renewCompose, deleteCompose, buildImage, rebuild
    /// An admin, or an API token of an admin that is made for nodes and farms.
    case manageNodes

    /// The scope that credentials with scopes must have.
    var scope: Scope? {
        switch self {
        case .known, .client, .person, .admin: nil
        case .createCompose: .newCompose
        case .renewCompose: .renewCompose
        case .deleteCompose: .deleteCompose
        case .buildImage: .buildImage
        case .rebuild: .rebuild
        case .manageNodes: .manageNodes
        }
    }
}
