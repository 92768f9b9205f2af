/// The state of a compose. The numbers are those of the HTTP contract and of the database.
public enum ComposeState: Int, Hashable, Sendable, Codable, CaseIterable {
    /// The compose waits for a worker, for the first time or again.
    case wait = 0
    /// A worker holds the compose's lease, or the compose has joined an equal one that is being built.
    case generating = 1
    case done = 2
    /// The compose expired, or an admin removed it. The record stays.
    case removed = 3
    case failed = 4

    /// The state's name, which is `state_name` in the HTTP contract.
    public var name: String {
        switch self {
        case .wait: "wait"
        case .generating: "generating"
        case .done: "done"
        case .removed: "removed"
        case .failed: "failed"
        }
    }

    /// Creates the state from its name, or from its number written as text. Filters accept both: `done` and
    /// `2`.
    public init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name || String($0.rawValue) == name }) else { return nil }
        self = state
    }

    /// Whether the compose has ended, so that nothing more is built for it.
    public var isFinal: Bool { self != .wait && self != .generating }

    /// Returns whether the transition is legal. The trigger in schema.sql has the same list of transitions.
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
