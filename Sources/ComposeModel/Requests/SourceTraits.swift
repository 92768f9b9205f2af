/// The traits of a source type are the properties by which types are told apart elsewhere. Code asks
/// for a trait and does not list types, so the compiler finds each place that a new type concerns: the
/// `switch` in ``SourceType/traits``.
///
/// Example: a request of a type without ``takesModuleOptions`` is refused if it has `scratch_modules`.
public struct SourceTraits: Hashable, Sendable {
    /// Whether the words of `source` are locations of repositories or composes.
    public let hasLocations: Bool
    /// Whether the compose consists of Koji's package files alone.
    public let hasKojiFiles: Bool
    /// Whether modules are taken along. Requests may then have `modular_koji_tags`, `scratch_modules` and
    /// module defaults.
    public let takesModuleOptions: Bool
    /// Whether this service resolves packages and writes the repositories with their metadata.
    public let writesOwnTree: Bool
    /// Whether the place of the compose's repository is known from the start.
    public let hasRepository: Bool
    /// Whether two composes with equal pins have equal content.
    public let isReusable: Bool
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
