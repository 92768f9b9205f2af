import ComposeModel
import ComposeTestKit
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// The limits of an owner for image builds.
@Suite struct BuildLimitTests {
    private func submit(_ image: Image, _ limits: OwnerLimits, owner: String = "me", key: String? = nil, in database: TestDatabase)
        async throws -> Build
    {
        try await database.store.submitBuild(
            of: image.id, BuildRequest(image.definition), owner: owner, dateTag: TestDatabase.day, limits: limits, unless: key)
    }

    @Test("an owner has as many open steps as it may, and steps that are done make room")
    func steps() async throws {
        try await TestDatabase.with { database in
            let (image, limits) = (try await database.image("app"), OwnerLimits(buildSteps: 3))
            let first = try await submit(image, limits, key: "k", in: database)
            let reached = OwnerLimitReached(kind: .buildSteps, owner: "me", most: 3, retryAfter: 600)
            await #expect(throws: reached) { _ = try await submit(image, limits, in: database) }
            #expect(try await submit(image, limits, key: "k", in: database).id == first.id)
            #expect(try await submit(image, limits, owner: "other", in: database).owner == "other")
            await #expect(throws: reached) {
                _ = try await database.store.submitRebuild(
                    making: .repo(), because: RebuildReason(advisory: "RHSA-2026:1"), owner: "me", dateTag: TestDatabase.day, limits: limits
                )
            }
            #expect(try await database.doSteps(most: 1) == ["\(first.id) linux/amd64"])
            _ = try await submit(image, limits, in: database)
            #expect(try await database.store.list(BuildQuery()).items.count == 3)
        }
    }

    @Test("workers spend as many minutes on the builds of an owner as they may within 24 hours")
    func minutes() async throws {
        try await TestDatabase.with { database in
            let (image, limits) = (try await database.image("app"), OwnerLimits(buildMinutes: 60))
            _ = try await submit(image, limits, in: database)
            try await database.doSteps()
            for (minutes, hours) in [(59, 1), (61, 25)] {
                _ = try await database.pool.query(
                    """
                    UPDATE attempts SET ended_at = now() - make_interval(hours => \(hours)::int),
                        started_at = now() - make_interval(hours => \(hours)::int, mins => \(minutes)::int)
                    WHERE step_id = (SELECT min(id) FROM build_steps)
                    """)
                _ = try await submit(image, limits, in: database)
            }
            _ = try await database.pool.query(
                """
                UPDATE attempts SET ended_at = now() - interval '1 hour', started_at = now() - interval '122 minutes'
                WHERE step_id = (SELECT min(id) FROM build_steps)
                """)
            await #expect(throws: OwnerLimitReached(kind: .buildMinutes, owner: "me", most: 60, retryAfter: 3600)) {
                _ = try await submit(image, limits, in: database)
            }
        }
    }
}
