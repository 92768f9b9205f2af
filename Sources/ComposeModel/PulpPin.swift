/// What Pulp said of the names in a request at one moment.
public struct PulpPin: Hashable, Sendable, Codable {
    public var repositories: [PulpRepository]
    /// The names that stand for nothing, and were left out because the request said so.
    public var absent: [String]

    public init(repositories: [PulpRepository], absent: [String] = []) {
        self.repositories = repositories
        self.absent = absent
    }
}
