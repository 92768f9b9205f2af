public import ComposeModel

/// What Pulp has of the content sets and repositories that a request names.
public struct PulpFindings: Hashable, Sendable {
    /// Sorted by id; no two have the same.
    public var found: [PulpRepository]
    /// The names that stand for nothing that may be used, in the order of the request.
    public var absent: [String]
    /// Those of ``absent`` that Pulp has but has not published.
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

    /// Why a compose of all the names cannot be made, `nil` when it can; `ignore_absent_pulp_repos` means not to care.
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
