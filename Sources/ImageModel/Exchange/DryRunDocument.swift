public import ComposeModel

/// The result that a request would have now, in the form of the API. No compose is made for it.
public struct DryRunDocument: Hashable, Sendable, Codable {
    /// The packages of one architecture, or the source packages.
    public struct Tree: Hashable, Sendable, Codable {
        /// A base architecture, or `source`.
        public var tree: String
        /// The names, epochs, versions, releases and architectures.
        public var packages: [String]
        /// The sizes of the packages' files together.
        public var bytes: Int

        public init(tree: String, packages: [String], bytes: Int) {
            self.tree = tree
            self.packages = packages
            self.bytes = bytes
        }
    }

    /// The kinds of results.
    public enum Outcome: String, Sendable, Codable {
        /// A repository would be built.
        case build
        /// The compose would wait for an equal one that is being built.
        case join
        /// The compose would show the result of another one.
        case reuse
        /// The compose would fail.
        case failure
    }

    public var outcome: Outcome
    /// The compose whose result would be shown.
    @OrNull public var reuses: Int?
    /// The compose that the compose would wait for, whose result it then shows.
    @OrNull public var joins: Int?
    /// Why the compose would fail.
    @OrNull public var failure: ComposeFailure?
    /// Sentences about points in which the compose would differ from the request. Examples: packages that
    /// are missing, requirements that nothing provides.
    public var findings: [String]
    public var trees: [Tree]
    /// How many seconds the last composes took on average. No value if there were none.
    @OrNull public var estimateSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case outcome, reuses, joins, failure, findings, trees
        case estimateSeconds = "estimate_seconds"
    }

    public init(
        outcome: Outcome, reuses: Int? = nil, joins: Int? = nil, failure: ComposeFailure? = nil, findings: [String] = [],
        trees: [Tree] = [], estimateSeconds: Double? = nil
    ) {
        self.outcome = outcome
        self.reuses = reuses
        self.joins = joins
        self.failure = failure
        self.findings = findings
        self.trees = trees
        self.estimateSeconds = estimateSeconds
    }
}
