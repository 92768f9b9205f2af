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

    /// Makes a build done, after its manifest list was written, and lets builds begin that wait for it.
    func complete(_ build: Int, digest: ImageDigest, tags: [ImageTag], on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            UPDATE builds SET state = 2, digest = \(digest.description), time_done = now() WHERE id = \(build) AND state = 1
            RETURNING image_id
            """)
        let image = try rows[rows.startIndex].decode(Int.self, "image_id")
        try await record(image, shows: digest, at: tags, madeBy: build, on: connection)
        let manifests = try await self.build(build, on: connection).steps.compactMap { step in
            step.platform.flatMap { platform in step.digest.map { (platform, $0) } }
        }
        try await use(Dictionary(uniqueKeysWithValues: manifests), of: image, on: connection)
        try await letBegin(buildsAfter: build, on: connection)
    }

    /// Ends a step that failed for good, with its build.
    func end(_ step: Int, with failure: BuildFailure, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            UPDATE build_steps SET state = 4, failure = \(PostgresJSON(failure)), state_reason = \(failure.message),
                lease_token = NULL, lease_expires_at = NULL
            WHERE id = \(step) AND state = 1 RETURNING build_id, coalesce(platform, 'manifest list') AS name
            """)
        let name = try rows[rows.startIndex].decode(String.self, "name")
        try await end(
            rows[rows.startIndex].decode(Int.self, "build_id"),
            with: BuildFailure(failure.code, "\(name): \(failure.message)", log: failure.log, isTransient: failure.isTransient),
            steps: BuildFailure(.canceled, "The build failed at another step: \(name)."), on: connection)
    }

    /// Fails a build that waits or is being built, and the builds on top of it. Steps that are done stay
    /// done.
    ///
    /// - Parameter steps: The failure of the other steps.
    private func end(_ build: Int, with failure: BuildFailure, steps: BuildFailure, on connection: PostgresConnection) async throws {
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
    func letBegin(buildsAfter build: Int, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE build_steps s SET blocked_by = s.blocked_by - 1 FROM build_waits w
            WHERE w.waits_for = \(build) AND s.build_id = w.build_id AND s.platform IS NOT NULL AND s.state = 0
            """)
    }
}
