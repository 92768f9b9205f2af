import ComposeTestKit
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// Artifacts, of which several are in one repository.
@Suite struct ArtifactTests {
    private static func definition(
        _ environment: String, _ kind: Artifact.Kind = .image, url: String? = nil
    ) throws -> ImageDefinition {
        var definition = TestDatabase.definition([TestDatabase.amd64])
        if let url { definition.source = .git(url: url, reference: "R1", folder: "") }
        let artifact = try Artifact(kind, component: "mps", version: "main", environment: environment)
        definition.artifact = artifact
        definition.movesLatest = false
        definition.tags = [artifact.movingTag]
        return definition
    }

    private static func add(_ definition: ImageDefinition, in database: TestDatabase) async throws -> Image {
        let artifact = try #require(definition.artifact)
        let repository = try ImageReference("registry.example/\(artifact.repositoryName)").repository
        switch try await database.store.addImage(repository, as: definition, by: TestDatabase.owner) {
        case .added(let image), .changed(let image): return image
        case .notAllowed: throw TestDatabase.NotAdded()
        }
    }

    @Test("operating systems have images of their own in one repository, whose builds do not wait for each other")
    func variants() async throws {
        try await TestDatabase.with { database in
            let rocky = try await Self.add(Self.definition("rocky9"), in: database)
            let rhel = try await Self.add(Self.definition("rhel7"), in: database)
            #expect(rocky.id != rhel.id && rocky.repository == rhel.repository)
            #expect(try await Self.add(Self.definition("rocky9"), in: database).id == rocky.id)
            #expect(try await database.store.image(named: rocky.repository, artifact: rhel.definition.artifact) == rhel)
            #expect(try await database.store.image(named: rocky.repository) == nil)
            let builds = [try await database.build(of: rocky), try await database.build(of: rhel)]
            #expect(builds.map(\.dateTag.text) == ["rocky9-20261129-1", "rhel7-20261129-2"])
            #expect(builds.flatMap(\.waitsFor) == [])
            #expect(try builds[0].listTags.map(\.tag.text) == ["rocky9-20261129-1", "rocky9"])
        }
    }

    @Test("an equal request joins the newest build that has not ended, and another definition does not")
    func joining() async throws {
        try await TestDatabase.with { database in
            let image = try await Self.add(Self.definition("rocky9"), in: database)
            func submit(_ definition: ImageDefinition) async throws -> Int {
                try await database.store.submitBuild(
                    of: image.id, BuildRequest(definition), owner: "other", dateTag: TestDatabase.day, joining: true
                ).id
            }
            #expect(try await submit(image.definition) == 1)
            #expect(try await submit(image.definition) == 1)
            var changed = image.definition
            changed.source = .containerfile("FROM scratch\nCOPY . /\n")
            #expect(try await submit(changed) == 2)
            #expect(try await submit(image.definition) == 3)
            try await database.doSteps()
            #expect(try await submit(image.definition) == 4)
        }
    }

    @Test("the newest build and the newest one that is done are found")
    func newest() async throws {
        try await TestDatabase.with { database in
            let image = try await Self.add(Self.definition("rocky9"), in: database)
            let none = try await database.store.newestBuilds(of: image.id)
            #expect(none.newest == nil && none.done == nil)
            let first = try await database.build(of: image)
            #expect(try await database.store.newestBuilds(of: image.id).newest?.id == first.id)
            try await database.doSteps()
            let done = try await database.store.newestBuilds(of: image.id)
            #expect(done.newest?.id == first.id && done.done?.id == first.id)
            let second = try await database.build(of: image)
            let both = try await database.store.newestBuilds(of: image.id)
            #expect(both.newest?.id == second.id && both.done?.id == first.id)
        }
    }

    @Test("the address of a component's git repository is its own, or else that of the artifact that was added last")
    func url() async throws {
        try await TestDatabase.with { database in
            func url(_ environment: String, in image: Image) async throws -> String? {
                let artifact = try #require(try Self.definition(environment, .component).artifact)
                return try await database.store.gitURL(of: artifact, in: image.repository)
            }
            let first = try await Self.add(Self.definition("rocky9", .component, url: "https://git.example/old"), in: database)
            #expect(try await url("rocky9", in: first) == "https://git.example/old")
            _ = try await Self.add(Self.definition("rhel7", .component, url: "https://git.example/new"), in: database)
            #expect(try await url("rocky9", in: first) == "https://git.example/old")
            #expect(try await url("rhel8", in: first) == "https://git.example/new")
            let other = try await Self.add(Self.definition("rocky9"), in: database)
            #expect(try await url("rocky9", in: other) == nil)
        }
    }

    @Test("a frontend of the version before adds images beside artifacts, and cannot take the name of one")
    func versionBefore() async throws {
        try await TestDatabase.with { database in
            let artifact = try await Self.add(Self.definition("rocky9"), in: database)
            let definition = TestDatabase.definition([TestDatabase.amd64])
            func add(_ name: String) async throws {
                _ = try await database.pool.query(
                    """
                    INSERT INTO images AS i (owner, repository, definition) VALUES ('me', \(name), \(PostgresJSON(definition)))
                    ON CONFLICT (repository) WHERE removed_at IS NULL DO UPDATE SET definition = excluded.definition
                    """)
            }
            try await add(artifact.repository.description)
            try await add(artifact.repository.description)
            #expect(try await database.store.image(named: artifact.repository)?.definition == definition)
            await #expect(throws: PostgresError.self) { try await add("\(artifact.repository):rocky9") }
            #expect(try await database.store.image(named: artifact.repository, artifact: artifact.definition.artifact) == artifact)
        }
    }
}
