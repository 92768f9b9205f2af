/// The traits of a source type are the properties that other code asks for. It does
/// not list types, so the compiler finds each place that a new type concerns: the
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
