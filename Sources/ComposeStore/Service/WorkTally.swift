public import ComposeModel
import Postgres

/// The work of a worker since its last report, to be added to the metrics of the whole service.
public struct WorkTally: Hashable, Sendable {
    /// A step of composing. Each attempt goes through the steps in this order, as far as it gets.
    public enum Phase: String, Hashable, Sendable, CaseIterable {
        case pin, fetch, resolve, write, publish
    }

    /// A kind of event that is counted.
    public enum Event: String, Hashable, Sendable, CaseIterable {
        /// No equal compose existed, so the compose is built.
        case composeBuilt = "compose-built"
        /// The compose shows the result of an equal one that was done.
        case composeReused = "compose-reused"
        /// The compose shows the result of one with the same packages but other inputs.
        case composeUnchanged = "compose-unchanged"
        /// The compose waits for an equal one that is being built.
        case composeJoined = "compose-joined"
        /// A repository's metadata was on this host already (hit), or had to be fetched (miss).
        case metadataHit = "metadata-hit"
        case metadataMiss = "metadata-miss"
        /// A package file came into a compose: as a second name of the source's file, as a file that shares its
        /// blocks, as a copy, or over the network.
        case fileHardlink = "file-hardlink"
        case fileReflink = "file-reflink"
        case fileCopy = "file-copy"
        case fileDownload = "file-download"
    }

    /// A time in the life of a compose. Both begin with the request.
    public enum Time: String, Hashable, Sendable, CaseIterable {
        /// The time until the first attempt begins.
        case wait
        /// The time until a worker has made the compose.
        case duration
    }

    /// A time of the composes of one source type.
    public struct ComposeTime: Hashable, Sendable {
        public let time: Time
        public let sourceType: SourceType

        public init(_ time: Time, of sourceType: SourceType) {
            self.time = time
            self.sourceType = sourceType
        }

        /// The name in the table of durations. Example: `wait repo`.
        fileprivate var name: String { "\(time.rawValue) \(sourceType.name)" }

        fileprivate init?(name: String) {
            let words = name.split(separator: " ")
            guard words.count == 2, let time = Time(rawValue: String(words[0])), let type = SourceType(name: String(words[1])) else {
                return nil
            }
            self.init(time, of: type)
        }
    }

    public fileprivate(set) var phases: [Phase: DurationHistogram] = [:]
    public fileprivate(set) var times: [ComposeTime: DurationHistogram] = [:]
    public fileprivate(set) var events: [Event: Int] = [:]

    public init() {}

    public var isEmpty: Bool { phases.isEmpty && times.isEmpty && events.isEmpty }

    /// Adds one run of the phase, successful or not.
    public mutating func add(_ phase: Phase, _ duration: Duration) {
        phases[phase, default: DurationHistogram()].add(duration)
    }

    public mutating func add(_ time: ComposeTime, _ duration: Duration) {
        times[time, default: DurationHistogram()].add(duration)
    }

    public mutating func add(_ event: Event, times: Int = 1) {
        events[event, default: 0] += times
    }
}

/// A histogram of durations: the number of durations in each range between two bounds.
public struct DurationHistogram: Hashable, Sendable {
    /// The bounds in seconds. The last one is infinite.
    public static let bounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, .infinity]

    public struct Bucket: Hashable, Sendable {
        /// The number of durations that are no longer than this bound but longer than the bound below.
        public var times = 0
        /// The sum of these durations, in seconds.
        public var seconds = 0.0
    }

    /// The buckets by their bounds. A bound with no durations has no bucket.
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

    /// Returns the number of durations that are no longer than `bound`.
    public func times(upTo bound: Double) -> Int {
        buckets.reduce(0) { $0 + ($1.key <= bound ? $1.value.times : 0) }
    }
}

extension ComposeStore {
    /// Adds a worker's work to the metrics. It locks the counters, always in the same order, for its own
    /// transaction only. Call it outside of the transactions that change composes.
    public func record(_ tally: WorkTally) async throws {
        guard !tally.isEmpty else { return }
        let histograms = tally.phases.map { ($0.key.rawValue, $0.value) } + tally.times.map { ($0.key.name, $0.value) }
        let rows = histograms.flatMap { name, histogram in
            histogram.buckets.map { (phase: name, bound: $0.key, bucket: $0.value) }
        }
        let events = tally.events.map { (event: $0.key.rawValue, times: $0.value) }
        // A statement with both parts is a transaction in one round trip. Each such statement locks in the
        // same order.
        _ = try await pool.query(
            """
            WITH counted AS (
                INSERT INTO tallies AS t (event, times)
                SELECT * FROM unnest(\(events.map(\.event)), \(events.map(\.times))) AS n (event, times) ORDER BY event
                ON CONFLICT (event) DO UPDATE SET times = t.times + excluded.times
            )
            INSERT INTO phase_durations AS p (phase, bound, times, seconds)
            SELECT * FROM unnest(
                \(rows.map(\.phase)), \(rows.map(\.bound)), \(rows.map(\.bucket.times)), \(rows.map(\.bucket.seconds))
            ) AS n (phase, bound, times, seconds) ORDER BY phase, bound
            ON CONFLICT (phase, bound) DO UPDATE SET times = p.times + excluded.times, seconds = p.seconds + excluded.seconds
            """)
    }

    /// Returns the work of all workers since the database was made. Phases and events that this version
    /// does not know are left out.
    public func workDone() async throws -> WorkTally {
        var tally = WorkTally()
        for row in try await pool.query("SELECT phase, bound, times, seconds FROM phase_durations") {
            let name = try row.decode(String.self, "phase")
            let (bound, bucket) = (
                try row.decode(Double.self, "bound"),
                DurationHistogram.Bucket(times: try row.decode(Int.self, "times"), seconds: try row.decode(Double.self, "seconds"))
            )
            if let phase = WorkTally.Phase(rawValue: name) {
                tally.phases[phase, default: DurationHistogram()].buckets[bound] = bucket
            } else if let time = WorkTally.ComposeTime(name: name) {
                tally.times[time, default: DurationHistogram()].buckets[bound] = bucket
            }
        }
        for row in try await pool.query("SELECT event, times FROM tallies") {
            guard let event = WorkTally.Event(rawValue: try row.decode(String.self, "event")) else { continue }
            tally.events[event] = try row.decode(Int.self, "times")
        }
        return tally
    }
}
