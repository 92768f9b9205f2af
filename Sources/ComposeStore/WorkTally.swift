import Postgres

/// What a worker did since it last said so, to be added to the metrics of the whole service.
public struct WorkTally: Hashable, Sendable {
    /// The steps of composing; each attempt goes through them in this order, as far as it gets.
    public enum Phase: String, Hashable, Sendable, CaseIterable {
        case pin, fetch, resolve, write, publish
    }

    /// Something that is counted.
    public enum Event: String, Hashable, Sendable, CaseIterable {
        /// Nothing equal existed: the compose is built.
        case composeBuilt = "compose-built"
        /// The compose shows the result of an equal one that was done.
        case composeReused = "compose-reused"
        /// The compose shows the result of one with the same packages, whose inputs were others.
        case composeUnchanged = "compose-unchanged"
        /// The compose waits for an equal one that was under way.
        case composeJoined = "compose-joined"
        /// A repository's metadata was on this host already, or had to be fetched.
        case metadataHit = "metadata-hit"
        case metadataMiss = "metadata-miss"
    }

    public fileprivate(set) var phases: [Phase: DurationHistogram] = [:]
    public fileprivate(set) var events: [Event: Int] = [:]

    public init() {}

    public var isEmpty: Bool { phases.isEmpty && events.isEmpty }

    /// One more time that the phase was gone through, whether it succeeded or not.
    public mutating func add(_ phase: Phase, _ duration: Duration) {
        phases[phase, default: DurationHistogram()].add(duration)
    }

    public mutating func add(_ event: Event, times: Int = 1) {
        events[event, default: 0] += times
    }
}

/// How often something took how long, by bounds.
public struct DurationHistogram: Hashable, Sendable {
    /// In seconds; the last one holds everything.
    public static let bounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, .infinity]

    public struct Bucket: Hashable, Sendable {
        /// How many took no longer than this bound, but longer than the one below it.
        public var times = 0
        /// All their time together.
        public var seconds = 0.0
    }

    /// By bound; one without a bucket has none.
    public fileprivate(set) var buckets: [Double: Bucket] = [:]

    public init() {}

    public mutating func add(_ duration: Duration) {
        let seconds = max(0, duration / .seconds(1))
        let bound = Self.bounds.first { seconds <= $0 } ?? .infinity
        buckets[bound, default: Bucket()].times += 1
        buckets[bound, default: Bucket()].seconds += seconds
    }

    public var times: Int { buckets.values.reduce(0) { $0 + $1.times } }

    public var seconds: Double { buckets.values.reduce(0) { $0 + $1.seconds } }

    /// How many took no longer than `bound`.
    public func times(upTo bound: Double) -> Int {
        buckets.reduce(0) { $0 + ($1.key <= bound ? $1.value.times : 0) }
    }
}

extension ComposeStore {
    /// Adds what a worker did. It holds locks on the counters, all in one order, for this one transaction only: call it beside the transactions
    /// in which composes change, never within one.
    public func record(_ tally: WorkTally) async throws {
        guard !tally.isEmpty else { return }
        let rows = tally.phases.flatMap { phase, histogram in
            histogram.buckets.map { (phase: phase.rawValue, bound: $0.key, bucket: $0.value) }
        }
        let events = tally.events.map { (event: $0.key.rawValue, times: $0.value) }
        try await pool.withTransaction { connection in
            _ = try await connection.query(
                """
                INSERT INTO phase_durations AS p (phase, bound, times, seconds)
                SELECT * FROM unnest(
                    \(rows.map(\.phase)), \(rows.map(\.bound)), \(rows.map(\.bucket.times)), \(rows.map(\.bucket.seconds))
                ) AS n (phase, bound, times, seconds) ORDER BY phase, bound
                ON CONFLICT (phase, bound) DO UPDATE SET times = p.times + excluded.times, seconds = p.seconds + excluded.seconds
                """)
            _ = try await connection.query(
                """
                INSERT INTO tallies AS t (event, times)
                SELECT * FROM unnest(\(events.map(\.event)), \(events.map(\.times))) AS n (event, times) ORDER BY event
                ON CONFLICT (event) DO UPDATE SET times = t.times + excluded.times
                """)
        }
    }

    /// What all workers did, ever. Phases and events that this version does not know are left out.
    public func workDone() async throws -> WorkTally {
        var tally = WorkTally()
        for row in try await pool.query("SELECT phase, bound, times, seconds FROM phase_durations") {
            guard let phase = WorkTally.Phase(rawValue: try row.decode(String.self, "phase")) else { continue }
            tally.phases[phase, default: DurationHistogram()].buckets[try row.decode(Double.self, "bound")] = .init(
                times: try row.decode(Int.self, "times"), seconds: try row.decode(Double.self, "seconds"))
        }
        for row in try await pool.query("SELECT event, times FROM tallies") {
            guard let event = WorkTally.Event(rawValue: try row.decode(String.self, "event")) else { continue }
            tally.events[event] = try row.decode(Int.self, "times")
        }
        return tally
    }
}
