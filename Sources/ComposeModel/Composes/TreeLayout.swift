/// A tree layout is the places of repositories in the tree of a compose. Pungi's composes have the same
/// places.
public enum TreeLayout {
    /// A kind of repository.
    public enum Kind: CaseIterable, Sendable {
        /// Binary packages without debuginfo, one repository for each architecture.
        case os
        /// The debuginfo of ``os``.
        case debug
        /// Source packages, one repository for all architectures.
        case source
    }

    /// The only variant of a compose, which is also the name of its directory below `compose`.
    public static let variant = "Temporary"

    /// Returns the path of a repository below the directory of its variant. Example: `x86_64/debug/tree`.
    ///
    /// - Parameter arch: The base architecture, which the path of ``Kind/source`` does not contain. It may
    ///   also be a variable of a client, such as `$basearch`.
    public static func path(_ kind: Kind, _ arch: String) -> String {
        switch kind {
        case .os: "\(arch)/os"
        case .debug: "\(arch)/debug/tree"
        case .source: source
        }
    }

    /// The path of the repository of source packages, below the directory of its variant.
    public static let source = "source/tree"

    /// Returns the path of the directory of an architecture's images, below the directory of their variant.
    /// Example: `x86_64/iso`.
    public static func images(_ arch: String) -> String { "\(arch)/iso" }
}
