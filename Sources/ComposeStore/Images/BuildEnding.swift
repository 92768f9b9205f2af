public import ImageModel
import Postgres

/// The outcome of canceling a build.
public enum BuildCancellation: Sendable {
    /// The build is `failed` now, and so are the builds on top of it.
    case canceled(Build)
    case notAllowed(String)
    /// The build has ended already.
    case notPossible(BuildState)
}

/// The ends of builds. The transaction has begun with ``ComposeStore/changingBuilds(_:)``.
extension ComposeStore {
    /// Cancels a build that waits or is being built. Workers lose the leases of its steps at once.
    ///
    /// - Returns: `nil` if there is no such build.
    public func cancelBuild(_ id: Int, by actor: Actor) async throws -> BuildCancellation? {
        try await changingBuilds { connection in
            guard
                let build = try await connection.query("SELECT \(fragment: Build.columns) FROM builds b WHERE b.id = \(id)")
                    .first.map(Build.init)
            else { return nil }
            guard !build.state.isFinal else { return .notPossible(build.state) }
            guard actor.isAdmin || actor.name == build.owner else {
                return .notAllowed("only \(build.owner), the owner of build \(id), or an admin can cancel it")
            }
            try await cancel([id], by: actor.name, on: connection)
            return .canceled(try await self.build(id, on: connection))
        }
    }

    /// Cancels open builds.
    func cancel(_ builds: [Int], by name: String, on connection: PostgresConnection) async throws {
        for build in builds {
            let failure = BuildFailure(.canceled, "Canceled by \(name)")
            try await end(build, with: failure, steps: failure, on: connection)
        }
    }

    /// Common tables that make a build done, after its manifest list was written, and let builds begin
    /// that wait for it. They need a table `done` with the id of the build in the column `build_id`, or
    /// without a row if nothing is to be done.
    func completion(of build: Build, digest: ImageDigest, tags: [ImageTag]) -> SQL {
        let leftOut = build.platformsLeftOut
        let movesLatest = build.request.definition.movesLatest
        let moving = build.request.definition.tags.filter { !$0.contains("{date}") } + (movesLatest ? ["latest"] : [])
        let reason: String? =
            if leftOut.isEmpty {
                nil
            } else {
                "\(leftOut.map(\.description).joined(separator: ", ")) failed and was left out\(Self.consequence(for: moving))."
            }
        let manifests = build.steps.compactMap { step in step.platform.flatMap { platform in step.digest.map { (platform, $0) } } }
        // The users of latest still get the image before, if a platform is left out.
        let changesUse = leftOut.isEmpty || !movesLatest
        let used = Self.use(Dictionary(uniqueKeysWithValues: manifests), of: "SELECT image_id FROM built WHERE \(changesUse)")
        return """
            built AS (
                UPDATE builds b SET state = 2, digest = \(digest.description), time_done = now(), state_reason = \(reason)
                FROM done WHERE b.id = done.build_id AND b.state = 1 RETURNING b.id, b.image_id
            ), shown AS (
                \(fragment: Self.record(digest, at: tags, of: "SELECT image_id, id AS build_id FROM built"))
            ), unused AS (\(fragment: used.unused)), used AS (\(fragment: used.used)), begun AS (
                UPDATE build_steps s SET blocked_by = s.blocked_by - 1 FROM build_waits w JOIN built ON w.waits_for = built.id
                WHERE s.build_id = w.build_id AND s.platform IS NOT NULL AND s.state = 0
            )
            """
    }

    /// Returns the end of a sentence about tags that do not move to a list that lacks a platform.
    private static func consequence(for tags: [String]) -> String {
        switch tags.count {
        case 0: ""
        case 1: ", so the tag \(tags[0]) stays where it is"
        default: ", so the tags \(tags.joined(separator: ", ")) stay where they are"
        }
    }

    /// Ends a step that failed for good. Its build fails too, or goes on without the platform.
    func end(_ step: Int, with failure: BuildFailure, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            UPDATE build_steps SET state = 4, failure = \(PostgresJSON(failure)), state_reason = \(failure.message),
                lease_token = NULL, lease_expires_at = NULL
            WHERE id = \(step) AND state = 1 RETURNING build_id, platform
            """)
        let build = try rows[rows.startIndex].decode(Int.self, "build_id")
        let platform = try rows[rows.startIndex].decode(String?.self, "platform")
        if let platform, try await leaveOut(Platform(platform), of: build, on: connection) { return }
        let name = platform ?? "manifest list"
        try await end(
            build,
            with: BuildFailure(failure.code, "\(name): \(failure.message)", log: failure.log, isTransient: failure.isTransient),
            steps: BuildFailure(.canceled, "The build failed at another step: \(name)."), on: connection)
    }

    /// Lets the manifest list be written without a platform that failed.
    ///
    /// - Returns: `false` if the definition does not allow it, or if no platform is left.
    private func leaveOut(_ platform: Platform, of id: Int, on connection: PostgresConnection) async throws -> Bool {
        let build = try await self.build(id, on: connection)
        guard let required = build.request.definition.requiredPlatforms, !required.contains(platform),
            build.steps.contains(where: { $0.platform != nil && $0.state != .failed })
        else { return false }
        return try await connection.query(
            "UPDATE build_steps SET blocked_by = blocked_by - 1 WHERE build_id = \(id) AND platform IS NULL AND state = 0"
        ).affectedRows == 1
    }

    /// Fails a build that waits or is being built, and the builds on top of it. Steps that are done stay
    /// done.
    ///
    /// - Parameter steps: The failure of the other steps.
    func end(_ build: Int, with failure: BuildFailure, steps: BuildFailure, on connection: PostgresConnection) async throws {
        let ended = try await connection.query(
            """
            UPDATE build_steps SET state = 4, failure = \(PostgresJSON(steps)), state_reason = \(steps.message),
                lease_token = NULL, lease_expires_at = NULL
            WHERE build_id = \(build) AND state IN (0, 1) RETURNING id
            """
        ).map { try $0.decode(Int.self, "id") }
        _ = try await connection.query(
            "UPDATE attempts SET ended_at = now(), outcome = 'canceled' WHERE step_id = ANY(\(ended)) AND ended_at IS NULL")
        let failed = try await connection.query(
            """
            UPDATE builds SET state = 4, failure = \(PostgresJSON(failure)), state_reason = \(failure.message), time_done = now()
            WHERE id = \(build) AND state IN (0, 1)
            """)
        // A build on top of two others may have failed already with the first of them.
        guard failed.affectedRows == 1 else { return }
        let children = try await connection.query(
            "SELECT build_id FROM build_waits WHERE waits_for = \(build) AND is_parent ORDER BY build_id"
        ).map { try $0.decode(Int.self, "build_id") }
        for child in children {
            let failure = BuildFailure(.parentFailed, "Build \(build), which this build is on top of, failed: \(failure.message)")
            try await end(child, with: failure, steps: failure, on: connection)
        }
        try await letBegin(buildsAfter: build, on: connection)
    }

    /// Counts down the builds that others wait for. The platforms of a build that waits for no other build
    /// can be claimed.
    @PostgresThread func letBegin(buildsAfter build: Int, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE build_steps s SET blocked_by = s.blocked_by - 1 FROM build_waits w
            WHERE w.waits_for = \(build) AND s.build_id = w.build_id AND s.platform IS NOT NULL AND s.state = 0
            """)
    }
}
