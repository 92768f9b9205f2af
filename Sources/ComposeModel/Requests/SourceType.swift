/// The kind of source that a compose is made from. The numbers are those of the HTTP contract.
public enum SourceType: Int, Hashable, Sendable, Codable, CaseIterable {
    case tag = 1
    case module = 2
    case repo = 3
    case pulp = 4
    case rawConfig = 5
    case build = 6
    case pungiCompose = 7

    public var name: String {
        switch self {
        case .tag: "tag"
        case .module: "module"
        case .repo: "repo"
        case .pulp: "pulp"
        case .rawConfig: "raw_config"
        case .build: "build"
        case .pungiCompose: "pungi_compose"
        }
    }

    /// Creates the source type from its name, or from its number written as text. Filters accept both:
    /// `repo` and `3`.
    public init?(name: String) {
        guard let type = Self.allCases.first(where: { $0.name == name || String($0.rawValue) == name }) else { return nil }
        self = type
    }
}
