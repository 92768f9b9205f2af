/// Where a compose is on its way; the numbers are those of the HTTP contract and of the database.
public enum ComposeState: Int, Hashable, Sendable, Codable, CaseIterable {
    /// Written down, waiting for a worker, the first time or again.
    case wait = 0
    /// A worker holds its lease, or it has joined an equal compose that is under way.
    case generating = 1
    case done = 2
    /// Its time was over, or an admin ended it; the record stays.
    case removed = 3
    case failed = 4

    /// The contract's `state_name`.
    public var name: String {
        switch self {
        case .wait: "wait"
        case .generating: "generating"
        case .done: "done"
        case .removed: "removed"
        case .failed: "failed"
        }
    }

    /// The state called `name`, or with that number written as text: filters accept both.
    public init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name || String($0.rawValue) == name }) else { return nil }
        self = state
    }

    /// Nothing more is built for a compose in such a state.
    public var isFinal: Bool { self != .wait && self != .generating }

    /// The legal transitions; schema.sql's trigger holds the same table.
    public func canTransition(to next: ComposeState) -> Bool {
        switch (self, next) {
        case (.wait, .generating), (.wait, .failed),
            (.generating, .wait), (.generating, .done), (.generating, .failed),
            (.done, .removed), (.failed, .removed):
            true
        default: false
        }
    }
}
