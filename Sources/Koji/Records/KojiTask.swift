/// A task: a job that a hub gives to its builders.
public struct KojiTask: Hashable, Sendable {
    public enum State: Int, Hashable, Sendable, CaseIterable {
        case free = 0, open, closed, canceled, assigned, failed

        /// The state's name in Koji. Example: "CLOSED".
        public var name: String { "\(self)".uppercased() }
        /// Whether the state is final. A task in a final state does not change any more.
        public var isFinal: Bool { self == .closed || self == .canceled || self == .failed }
    }

    public var id = 0
    /// The kind of the task. Examples: `build`, `buildArch`.
    public var method = ""
    /// The task's state, or `nil` for a state that this version does not know.
    public var state: State?
    /// The architecture that the task is for, or `noarch` if it does not matter.
    public var arch = ""
    /// The name that the parent task gives it, often the architecture.
    public var label: String?
    public var parent: Int?

    public init() {}
}

extension KojiTask: AnswerRow {
    enum Member: String, CaseIterable {
        case arch, id, label, method, parent, state
    }

    static var noun: String { "task" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .arch: arch = try value.string
        case .id: id = try value.int
        case .label: label = try value.string
        case .method: method = try value.string
        case .parent: parent = try value.int
        case .state: state = State(rawValue: try value.int)
        }
    }

    var missing: Member? { id == 0 ? .id : method.isEmpty ? .method : nil }
}

/// The result of a finished `buildArch` task: paths below the directory `work` of the hub's file tree.
public struct BuildArchResult: Hashable, Sendable {
    public var rpms: [String]
    public var srpms: [String]
    public var logs: [String]
}

/// A name and its number. Example: a result of a search.
public struct KojiNamed: Hashable, Sendable {
    public var id = -1
    public var name = ""

    public init() {}
}

extension KojiNamed: AnswerRow {
    enum Member: String, CaseIterable {
        case id, name
    }

    static var noun: String { "name" }

    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch) {
        switch member {
        case .id: id = try value.int
        case .name: name = try value.string
        }
    }

    var missing: Member? { id < 0 ? .id : name.isEmpty ? .name : nil }
}
