public import ComposeModel

/// The repositories that Pulp has for the names in a request, and the names without one.
public struct PulpFindings: Hashable, Sendable {
    /// The repositories, sorted by id. No two have the same id.
    public var found: [PulpRepository]
    /// The names without a usable content set or repository, in the order of the request.
    public var absent: [String]
    /// The names of ``absent`` that Pulp has but has not published.
    public var unpublished: Set<String>

    public init(found: [PulpRepository], absent: [String] = [], unpublished: Set<String> = []) {
        self.found = found
        self.absent = absent
        self.unpublished = unpublished
    }

    /// One sentence for each name that is left out.
    public var sentences: [String] {
        absent.map { name in
            unpublished.contains(name)
                ? "Pulp has \(name) but has not published it; with the flag include_unpublished_pulp_repos it is used all the same."
                : "Pulp has neither a content set nor a repository called \(name)."
        }
    }

    /// The failure of a compose that needs all names, or `nil` if every name was found. With the flag
    /// `ignore_absent_pulp_repos` a compose is made without the absent ones.
    public var failure: ComposeFailure? {
        guard !absent.isEmpty else { return nil }
        return ComposeFailure(
            .sourceNotUsable,
            lines: sentences.prefix(Self.listed)
                + (absent.count > Self.listed ? ["And \(absent.count - Self.listed) more like these."] : [])
                + ["The flag ignore_absent_pulp_repos makes the compose without them."],
            details: sentences.map { .init(text: $0) })
    }

    private static let listed = 50
}
