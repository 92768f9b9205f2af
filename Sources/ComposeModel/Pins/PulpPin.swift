/// Pulp's answer for the names in a request at one moment.
public struct PulpPin: Hashable, Sendable, Codable {
    public var repositories: [PulpRepository]
    /// The names that stand for no repository. The request allows the service to leave them out
    /// (`ignore_absent_pulp_repos`).
    public var absent: [String]

    public init(repositories: [PulpRepository], absent: [String] = []) {
        self.repositories = repositories
        self.absent = absent
    }
}
