/// Module defaults at one commit of their git repository.
public struct ModuleDefaultsPin: Hashable, Sendable, Codable {
    /// The repository's URL as the request has it.
    public var url: String
    /// The full name of the commit that the request's branch, tag or abbreviation meant at that moment.
    public var commit: String

    public init(url: String, commit: String) {
        self.url = url
        self.commit = commit
    }
}
