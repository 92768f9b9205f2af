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

    @Test("a build that is refused or sent again leaves its image as it is, and adds none")
    func definitions() async throws {
        try await TestDatabase.with { database in
            let (image, store) = (try await database.image("app", [TestDatabase.amd64]), database.store)
            let changed = TestDatabase.definition([TestDatabase.arm64])
            func submit(
                _ definition: ImageDefinition, of repository: ImageRepository = image.repository, by actor: Actor = TestDatabase.owner,
                limit: Int = 100, key: String? = nil
            ) async throws -> Build {
                try await store.submitBuild(
                    of: .defined(repository, definition, by: actor), BuildRequest(definition), owner: actor.name,
                    dateTag: TestDatabase.day, limits: OwnerLimits(buildSteps: limit), unless: key)
            }
            func definition() async throws -> ImageDefinition? { try await store.image(image.id)?.definition }

            let first = try await submit(changed, key: "k")
            #expect(first.image == image.id && first.request.definition == changed)
            #expect(try await definition() == changed)
            // A later request has changed the image. The first one that is sent again does not change it back.
            _ = try await submit(image.definition)
            #expect(try await submit(changed, key: "k").id == first.id)
            #expect(try await definition() == image.definition)
            await #expect(throws: OwnerLimitReached.self) { _ = try await submit(changed, limit: 1) }
            await #expect(throws: BuildKeyTaken.self) { _ = try await submit(image.definition, key: "k") }
            let stranger = Actor(name: "other", isAdmin: false)
            let refused = await #expect(throws: DefinitionNotAllowed.self) { _ = try await submit(changed, by: stranger) }
            #expect(refused?.description == "only the owner of \(image.repository) or an admin can change it")
            #expect(try await definition() == image.definition)
            let new = try ImageReference("registry.example/team/new").repository
            await #expect(throws: OwnerLimitReached.self) { _ = try await submit(changed, of: new, limit: 1) }
            #expect(try await store.image(named: new) == nil)
            let added = try await submit(changed, of: new, by: stranger)
            #expect(try await store.image(named: new)?.id == added.image)
        }
    }

    @Test("the compose of a rebuild counts among the composes of its owner that wait")
    func composeOfRebuild() async throws {
        try await TestDatabase.with { database in
            let limits = OwnerLimits(waiting: 1)
            func submit(_ advisory: String) async throws {
                _ = try await database.store.submitRebuild(
                    making: .repo(), because: RebuildReason(advisory: advisory), owner: "me", dateTag: TestDatabase.day, limits: limits)
            }
            try await submit("RHSA-2026:1")
            await #expect(throws: OwnerLimitReached.self) { try await submit("RHSA-2026:2") }
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

    @Test("the minutes within 24 hours are counted without a look at builds that ended before")
    func olderBuilds() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("app")
            _ = try await database.pool.query(
                """
                INSERT INTO builds (owner, image_id, request, date_tag, state, state_reason, failure, time_done)
                SELECT 'me', \(image.id), '{}', 'day-' || n, 4, 'It has failed.', '{}', now() - make_interval(days => n)
                FROM generate_series(1, 5000) AS n
                """)
            _ = try await database.pool.query("ANALYZE builds")
            let plan = try await database.pool.query("EXPLAIN \(fragment: ComposeStore.buildMinutes(of: "me"))")
                .map { try $0.decode(String.self, "QUERY PLAN") }.joined(separator: "\n")
            #expect(plan.contains("builds_ended_by_owner") && !plan.contains("Seq Scan on builds"), "\(plan)")
        }
    }
}
