import Foundation
import ImageModel
import Postgres

extension Build {
    /// The columns of `builds AS b` that ``init(_:)`` reads.
    static let columns: SQL = """
        b.id, b.owner, b.image_id, b.rebuild_id, b.request, b.date_tag, b.state, b.state_reason, b.failure, b.digest, b.pins, b.verification,
        b.time_submitted, b.time_started, b.time_done,
        ARRAY(SELECT compose_id FROM build_composes WHERE build_id = b.id ORDER BY compose_id) AS composes,
        ARRAY(SELECT waits_for FROM build_waits WHERE build_id = b.id ORDER BY waits_for) AS waits_for,
        (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.id), '[]') FROM build_steps s WHERE s.build_id = b.id) AS steps
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(Int.self, "id"), owner: try row.decode(String.self, "owner"), image: try row.decode(Int.self, "image_id"),
            rebuild: try row.decode(Int?.self, "rebuild_id"), composes: try row.decode([Int].self, "composes"),
            request: try row.decode(PostgresJSON<BuildRequest>.self, "request").value,
            dateTag: try ImageTag(row.decode(String.self, "date_tag")), state: try Self.state(row.decode(Int.self, "state")),
            stateReason: try row.decode(String?.self, "state_reason"),
            failure: try row.decode(PostgresJSON<BuildFailure>?.self, "failure")?.value,
            digest: try row.decode(String?.self, "digest").map { try ImageDigest($0) },
            pins: try row.decode(PostgresJSON<BuildPins>?.self, "pins")?.value,
            verifications: try Self.verifications(row.decode(PostgresJSON<[String: Verification]>?.self, "verification")?.value ?? [:]),
            waitsFor: try row.decode([Int].self, "waits_for"),
            timeSubmitted: try row.decode(Date.self, "time_submitted"), timeStarted: try row.decode(Date?.self, "time_started"),
            timeDone: try row.decode(Date?.self, "time_done"),
            steps: try row.decode(PostgresJSON<[StepRow]>.self, "steps").value.map(Step.init))
    }

    /// - Parameter found: The verifications by the names of platforms.
    static func verifications(_ found: [String: Verification]) throws -> [Platform: Verification] {
        Dictionary(uniqueKeysWithValues: try found.map { (try Platform($0.key), $0.value) })
    }

    static func state(_ number: Int) throws -> BuildState {
        guard let state = BuildState(rawValue: number) else { throw UnknownState(thing: "build", number: number) }
        return state
    }

    /// An error: a build or step has a state that this version does not know. The database belongs to a
    /// newer version.
    struct UnknownState: Error, CustomStringConvertible {
        let thing: String
        let number: Int
        var description: String { "a \(thing) has the state \(number), which this version does not know" }
    }
}

/// A row of `build_steps` as JSON.
struct StepRow: Decodable, Sendable {
    let id: Int
    let build_id: Int
    let platform: String?
    let state: Int
    let state_reason: String?
    let failure: BuildFailure?
    let digest: ImageDigest?
    let blocked_by: Int
    let attempts: Int
    let node: String?
    let failed_nodes: [String]
}

extension Step {
    init(_ row: StepRow) throws {
        guard let state = StepState(rawValue: row.state) else { throw Build.UnknownState(thing: "step", number: row.state) }
        self.init(
            id: row.id, build: row.build_id, platform: try row.platform.map { try Platform($0) }, state: state,
            stateReason: row.state_reason, failure: row.failure, digest: row.digest, blockedBy: row.blocked_by, attempts: row.attempts,
            node: row.node, failedNodes: row.failed_nodes)
    }
}
