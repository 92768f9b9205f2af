public import ComposeModel
import Identity
public import ImageModel
import Postgres

/// An event of the outbox: a transition of a compose or of a build, or a token that expires soon.
public struct StoredEvent: Sendable, Identifiable {
    /// The object of an event, as it was right after the transition. The steps of a build are as they are
    /// now.
    public enum Subject: Sendable {
        case compose(Compose)
        case build(Build)
        case token(APIToken)
        /// An object whose stored state this program cannot read, for example because a newer one has written
        /// it.
        case unreadable(Object, problem: String)
    }

    /// The kind of the object of an event.
    public enum Kind: String, Sendable, CaseIterable {
        case composes, builds, tokens
    }

    /// The object that an event is about. Events of one object are delivered in order.
    public enum Object: Hashable, Sendable {
        case compose(Int)
        case build(Int)
        case token(String)
    }

    /// The number of the event. It never changes, so receivers can recognize a repeated delivery.
    public let id: Int
    /// The place of the event among all committed events.
    public let position: Int
    public let subject: Subject

    public init(id: Int, position: Int, subject: Subject) {
        self.id = id
        self.position = position
        self.subject = subject
    }

    public var kind: Kind {
        switch subject {
        case .compose: .composes
        case .build: .builds
        case .token: .tokens
        case .unreadable(let object, _): object.kind
        }
    }

    public var object: Object {
        switch subject {
        case .compose(let compose): .compose(compose.id)
        case .build(let build): .build(build.id)
        case .token(let token): .token(token.id)
        case .unreadable(let object, _): object
        }
    }
}

extension StoredEvent.Object {
    fileprivate var kind: StoredEvent.Kind {
        switch self {
        case .compose: .composes
        case .build: .builds
        case .token: .tokens
        }
    }
}

extension StoredEvent.Object: CustomStringConvertible {
    /// The object for people. Example: `compose 12`.
    public var description: String {
        switch self {
        case .compose(let id): "compose \(id)"
        case .build(let id): "build \(id)"
        case .token(let id): "token \(id)"
        }
    }
}

/// An event filter is a choice of events. Every condition must be met.
public struct EventFilter: Hashable, Sendable {
    public var kinds: Set<StoredEvent.Kind>
    /// The number of the only compose whose events are chosen.
    public var compose: Int?
    /// The watch whose composes are chosen.
    public var watch: Int?
    /// The owners. Empty means all.
    public var owners: Set<String> = []
    /// The names of states. Empty means all. Tokens have no state.
    public var states: Set<String> = []
    /// The source types of composes. Empty means all.
    public var sourceTypes: Set<SourceType> = []

    public init(kinds: Set<StoredEvent.Kind> = [.composes, .builds]) {
        self.kinds = kinds
    }

    public func matches(_ event: StoredEvent) -> Bool {
        guard kinds.contains(event.kind) else { return false }
        let isOfComposesOnly = compose != nil || watch != nil || !sourceTypes.isEmpty
        switch event.subject {
        case .compose(let compose):
            return (self.compose == nil || self.compose == compose.id) && (watch == nil || watch == compose.watch)
                && (sourceTypes.isEmpty || sourceTypes.contains(compose.request.sourceType))
                && isChosen(owner: compose.owner, state: compose.state.name)
        case .build(let build):
            return !isOfComposesOnly && isChosen(owner: build.owner, state: build.state.name)
        case .token(let token):
            return !isOfComposesOnly && states.isEmpty && (owners.isEmpty || owners.contains(token.owner.text))
        case .unreadable(let object, _):
            // Whether the other conditions are met is unknown, and no event may be lost in silence.
            return compose == nil || object == compose.map(StoredEvent.Object.compose)
        }
    }

    private func isChosen(owner: String, state: String) -> Bool {
        (owners.isEmpty || owners.contains(owner)) && (states.isEmpty || states.contains(state))
    }
}

/// The positions of the events that the database has.
public struct EventBounds: Hashable, Sendable {
    /// The position of the last event. 0 if there was none yet.
    public let last: Int
    /// The greatest position of the events that were deleted because of their age.
    public let deletedTo: Int
}

extension ComposeStore {
    public func eventBounds() async throws -> EventBounds {
        let rows = try await pool.query("SELECT position, deleted_to FROM event_clock")
        guard let row = rows.first else { return EventBounds(last: 0, deletedTo: 0) }
        return EventBounds(last: try row.decode(Int.self, "position"), deletedTo: try row.decode(Int.self, "deleted_to"))
    }

    /// Returns the events that follow a position, in the order of their positions.
    public func events(after position: Int, limit: Int) async throws -> [StoredEvent] {
        try await events(where: "e.position > \(position)", limit: limit)
    }

    /// Returns events that follow a position, up to another one. Those that a filter leaves out because of
    /// their kind or their compose are missing. Its other conditions are not looked at.
    public func events(after position: Int, to last: Int, roughly filter: EventFilter, limit: Int) async throws -> [StoredEvent] {
        var condition: SQL = "e.position > \(position) AND e.position <= \(last)"
        if let compose = filter.compose { condition = "\(fragment: condition) AND e.compose_id = \(compose)" }
        let columns: [(StoredEvent.Kind, SQL)] = [(.composes, "compose_id"), (.builds, "build_id"), (.tokens, "token_id")]
        for (kind, column) in columns where !filter.kinds.contains(kind) {
            condition = "\(fragment: condition) AND e.\(fragment: column) IS NULL"
        }
        return try await events(where: condition, limit: limit)
    }

    /// Returns the chosen events that have a position, in the order of their positions.
    ///
    /// - Parameter condition: A condition on `events AS e`.
    func events(where condition: SQL, limit: Int) async throws -> [StoredEvent] {
        let heads = try await pool.query(
            """
            SELECT e.position AS place, e.build_id IS NOT NULL AS is_build, e.token_id IS NOT NULL AS is_token FROM events e
            WHERE e.position IS NOT NULL AND \(fragment: condition) ORDER BY e.position LIMIT \(limit)
            """
        ).map { row in
            let kind: StoredEvent.Kind =
                try row.decode(Bool.self, "is_build") ? .builds : try row.decode(Bool.self, "is_token") ? .tokens : .composes
            return (place: try row.decode(Int.self, "place"), kind: kind)
        }
        var events: [StoredEvent] = []
        for kind in StoredEvent.Kind.allCases {
            let places = heads.filter { $0.kind == kind }.map(\.place)
            if !places.isEmpty { events += try await self.events(of: kind, at: places) }
        }
        return events.sorted { $0.position < $1.position }
    }

    /// Returns the events of one kind at some positions. An event that cannot be read is there as
    /// unreadable, so that it does not hold up the others.
    private func events(of kind: StoredEvent.Kind, at places: [Int]) async throws -> [StoredEvent] {
        do {
            return try await readableEvents(of: kind, at: places)
        } catch  where error.isOfStoredText {
            if places.count == 1 { return try await unreadableEvents(at: places, problem: "The event cannot be read: \(error)") }
            var events: [StoredEvent] = []
            for place in places { events += try await self.events(of: kind, at: [place]) }
            return events
        }
    }

    private func unreadableEvents(at places: [Int], problem: String) async throws -> [StoredEvent] {
        try await pool.query("SELECT id, position, compose_id, build_id, token_id FROM events WHERE position = ANY(\(places))").map { row in
            let object: StoredEvent.Object =
                if let compose = try row.decode(Int?.self, "compose_id") {
                    .compose(compose)
                } else if let build = try row.decode(Int?.self, "build_id") {
                    .build(build)
                } else {
                    .token(try row.decode(String.self, "token_id"))
                }
            return StoredEvent(
                id: try row.decode(Int.self, "id"), position: try row.decode(Int.self, "position"),
                subject: .unreadable(object, problem: problem.bounded(to: 1000)))
        }
    }

    private func readableEvents(of kind: StoredEvent.Kind, at places: [Int]) async throws -> [StoredEvent] {
        let (columns, record): (SQL, SQL) =
            switch kind {
            case .composes: (Compose.columns, "jsonb_populate_record(NULL::composes, e.compose) c")
            case .builds: (Build.columns, "jsonb_populate_record(NULL::builds, e.build) b")
            case .tokens: (APIToken.columns, "jsonb_populate_record(NULL::tokens, e.token) t")
            }
        let rows = try await pool.query(
            """
            SELECT e.id AS event_id, e.position AS event_position, \(fragment: columns)
            FROM (SELECT * FROM events WHERE position = ANY(\(places))) e, \(fragment: record)
            """)
        return try rows.map { row in
            let subject: StoredEvent.Subject =
                switch kind {
                case .composes: .compose(try Compose(row))
                case .builds: .build(try Build(row))
                case .tokens: .token(try APIToken(row))
                }
            return StoredEvent(
                id: try row.decode(Int.self, "event_id"), position: try row.decode(Int.self, "event_position"), subject: subject)
        }
    }
}

extension Error {
    /// Whether the same statement fails for the same row again, because of the content of the row.
    fileprivate var isOfStoredText: Bool {
        if self is CancellationError { return false }
        return (self as? PostgresError)?.isTransient != true
    }
}
