/// Defaults of modules at one commit of the git repository that has them.
public struct ModuleDefaultsPin: Hashable, Sendable, Codable {
    /// As the request has it.
    public var url: String
    /// The commit's full name: what the request's branch, tag or abbreviation was at that moment.
    public var commit: String

    public init(url: String, commit: String) {
        self.url = url
        self.commit = commit
    }
}
