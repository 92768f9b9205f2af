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

extension SourceType {
    public var traits: SourceTraits {
        switch self {
        case .tag, .build:
            SourceTraits(
                hasLocations: false, hasKojiFiles: true, takesModuleOptions: true, writesOwnTree: true, hasRepository: true,
                isReusable: true)
        case .module:
            SourceTraits(
                hasLocations: false, hasKojiFiles: false, takesModuleOptions: true, writesOwnTree: true, hasRepository: true,
                isReusable: true)
        case .repo, .pungiCompose:
            SourceTraits(
                hasLocations: true, hasKojiFiles: false, takesModuleOptions: false, writesOwnTree: true, hasRepository: true,
                isReusable: true)
        // The result is a `.repo` file that refers to Pulp's own repositories.
        case .pulp:
            SourceTraits(
                hasLocations: false, hasKojiFiles: false, takesModuleOptions: false, writesOwnTree: false, hasRepository: true,
                isReusable: true)
        // Pungi makes the compose. Its configuration decides the variants, so the place of a repository is not
        // known. Pungi also reads more than its configuration, so equal pins say nothing about the content.
        case .rawConfig:
            SourceTraits(
                hasLocations: false, hasKojiFiles: false, takesModuleOptions: false, writesOwnTree: false, hasRepository: false,
                isReusable: false)
        }
    }
}
