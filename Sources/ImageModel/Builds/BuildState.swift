/// The state of a build. The numbers are those of the database, and those of composes.
public enum BuildState: Int, Hashable, Sendable, Codable, CaseIterable {
    /// No step has begun.
    case wait = 0
    case building = 1
    case done = 2
    /// The image is gone from the registry. The record stays.
    case removed = 3
    case failed = 4

    public var name: String { "\(self)" }

    /// Whether nothing more is built.
    public var isFinal: Bool { self != .wait && self != .building }
}

/// The state of a step. The numbers are those of the database.
public enum StepState: Int, Hashable, Sendable, Codable, CaseIterable {
    /// The step waits for a worker, for the first time or again.
    case wait = 0
    /// A worker holds the step's lease.
    case running = 1
    case done = 2
    case failed = 4

    public var name: String { "\(self)" }
}
