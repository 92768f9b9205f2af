public import ImageModel
import Postgres

/// The values of a new build.
struct NewBuild: Sendable {
    var image: Int
    var owner: String
    var request: BuildRequest
    /// The tag for the manifest list, if it is free.
    var dateTag: ImageTag
    var composes: [Int] = []
    var rebuild: Int?
    /// The open builds whose images this one builds on.
    var parents: [Int] = []
}

/// An error: the key was used for another request for a build before. Nothing was stored.
public struct BuildKeyTaken: Error, Hashable, Sendable {
    public let key: String
    /// The build that the key stands for.
    public let build: Int
}

/// The image that a new build is of.
public enum BuiltImage: Sendable {
    case known(Int)
    /// An image that is added, or gets a new definition, if the build is stored.
    case defined(ImageRepository, ImageDefinition, by: Actor)
}

/// An error: a build came with a new definition of another account's image. Nothing was stored.
public struct DefinitionNotAllowed: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(of repository: ImageRepository) { description = "only the owner of \(repository) or an admin can change it" }
}

extension ComposeStore {
    /// Stores a build of an image that keeps its definition.
    public func submitBuild(
        of image: Int, _ request: BuildRequest, owner: String, dateTag: ImageTag, composes: [Int] = [],
        limits: OwnerLimits? = nil, joining: Bool = false, unless key: String? = nil
    ) async throws -> Build {
        try await submitBuild(
            of: .known(image), request, owner: owner, dateTag: dateTag, composes: composes, limits: limits, joining: joining, unless: key)
    }

    /// Stores a build with its steps. It begins when earlier builds of the same image have ended.
    ///
    /// - Parameters:
    ///   - image: A new definition of it is stored together with the build. So a request that is sent again
    ///     or refused changes no image.
    ///   - dateTag: The tag for the manifest list. If an earlier build of the image has the tag `20261129`,
    ///     this one gets `20261129.2`.
    ///   - composes: The composes whose packages the build may install.
    ///   - limits: The limits of the owner, or `nil` if the owner is not one account.
    ///   - joining: Whether an open build of the image with the same definition is returned instead.
    ///   - key: The owner's key for the request. The build that an equal request with the same key made
    ///     before is returned.
    /// - Throws: ``BuildKeyTaken``, ``ComposeNotUsable`` if a compose is gone, ``OwnerLimitReached``,
    ///   ``DefinitionNotAllowed``, `PostgresError`.
    public func submitBuild(
        of image: BuiltImage, _ request: BuildRequest, owner: String, dateTag: ImageTag, composes: [Int] = [],
        limits: OwnerLimits? = nil, joining: Bool = false, unless key: String? = nil
    ) async throws -> Build {
        try await changingBuilds { connection in
            if let earlier = try await earlierBuild(
                of: image, request, owner: owner, composes: composes, joining: joining, key: key, on: connection)
            {
                return earlier
            }
            try await checkBuilds(of: owner, limits, on: connection)
            try await use(composes, on: connection)
            let image = try await settledID(of: image, on: connection)
            let id = try await insert(
                NewBuild(image: image, owner: owner, request: request, dateTag: dateTag, composes: composes), on: connection)
            if let key {
                _ = try await connection.query(
                    "INSERT INTO build_submissions (build_id, owner, idempotency_key) VALUES (\(id), \(owner), \(key))")
            }
            return try await build(id, on: connection)
        }
    }

    /// Checks that ``submitBuild(of:_:owner:dateTag:composes:limits:joining:unless:)`` would accept a
    /// build at this moment, or return an earlier one. So no archive is kept for a build that is refused
    /// already.
    ///
    /// - Throws: The errors of that function.
    public func checkBuild(
        of image: BuiltImage, _ request: BuildRequest, owner: String, limits: OwnerLimits? = nil, joining: Bool = false,
        unless key: String? = nil
    ) async throws {
        try await pool.withTransaction { connection in
            guard
                try await earlierBuild(of: image, request, owner: owner, composes: [], joining: joining, key: key, on: connection) == nil
            else { return }
            try await checkBuilds(of: owner, limits, on: connection)
            guard case .defined(let repository, let definition, let actor) = image,
                let known = try await connection.query(named(repository, definition.artifact)).first.map(Image.init)
            else { return }
            guard known.owner == actor.name || actor.isAdmin else { throw DefinitionNotAllowed(of: repository) }
        }
    }

    /// Returns the build that the key stands for, or an open build to join. Returns `nil` for a new build.
    private func earlierBuild(
        of image: BuiltImage, _ request: BuildRequest, owner: String, composes: [Int], joining: Bool, key: String?,
        on connection: PostgresConnection
    ) async throws -> Build? {
        let known = try await id(of: image, on: connection)
        if let key, let earlier = try await build(of: key, owner, on: connection) {
            guard earlier.image == known, earlier.request == request, Set(earlier.composes).isSuperset(of: composes) else {
                throw BuildKeyTaken(key: key, build: earlier.id)
            }
            return earlier
        }
        guard joining, let known, let open = try await openBuild(of: known, on: connection),
            open.request.definition == request.definition
        else { return nil }
        return open
    }

    /// Returns the id of an image, or `nil` if it is not there yet.
    private func id(of image: BuiltImage, on connection: PostgresConnection) async throws -> Int? {
        switch image {
        case .known(let id): id
        case .defined(let repository, let definition, _):
            try await connection.query(named(repository, definition.artifact)).first.map { try Image($0).id }
        }
    }

    /// Returns the id of an image, after its new definition was stored.
    private func settledID(of image: BuiltImage, on connection: PostgresConnection) async throws -> Int {
        switch image {
        case .known(let id): return id
        case .defined(let repository, let definition, let actor):
            let rows = try await connection.query(addition(of: repository, as: definition, by: actor))
            switch try addOutcome(rows, repository) {
            case .added(let image), .changed(let image): return image.id
            case .notAllowed: throw DefinitionNotAllowed(of: repository)
            }
        }
    }

    /// Returns the build that the owner's key stands for.
    private func build(of key: String, _ owner: String, on connection: PostgresConnection) async throws -> Build? {
        try await connection.query(
            """
            SELECT \(fragment: Build.columns) FROM build_submissions s JOIN builds b ON b.id = s.build_id
            WHERE s.owner = \(owner) AND s.idempotency_key = \(key)
            """
        ).first.map(Build.init)
    }

    /// Returns the newest build of an image, if it has not ended.
    private func openBuild(of image: Int, on connection: PostgresConnection) async throws -> Build? {
        try await connection.query(
            "SELECT \(fragment: Build.columns) FROM builds b WHERE b.image_id = \(image) AND b.state IN (0, 1) ORDER BY b.id DESC LIMIT 1"
        ).first.map(Build.init)
    }

    /// Runs `body` in a transaction, while no other transaction submits or ends builds. So `body` can count
    /// on the states of all builds, except that a worker may claim a step meanwhile. `body` locks steps
    /// before builds, as the claim does.
    func changingBuilds<R: Sendable>(
        isolation: isolated (any _Concurrency.Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withTransaction(beginningWith: Self.buildChanges.text, body)
    }

    /// The statement by which the transactions that submit or end builds follow each other.
    static let buildChanges: SQL = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' builds', 0))"

    /// - Returns: The id of the build.
    func insert(_ new: NewBuild, on connection: PostgresConnection) async throws -> Int {
        let reserved = try await connection.query("SELECT nextval(pg_get_serial_sequence('builds', 'id')) AS id")
        let id = try reserved[reserved.startIndex].decode(Int.self, "id")
        let tag =
            if let artifact = new.request.definition.artifact {
                try artifact.tag(on: new.dateTag, build: id).text
            } else {
                try await freeTag(new.dateTag, of: new.image, on: connection)
            }
        let content = try await contentCompose(for: new, on: connection)
        let composes = new.composes + [content].compactMap(\.self)
        _ = try await connection.query(
            """
            INSERT INTO builds (id, owner, image_id, rebuild_id, request, date_tag, state_reason) OVERRIDING SYSTEM VALUE
            VALUES (\(id), \(new.owner), \(new.image), \(new.rebuild), \(PostgresJSON(new.request)), \(tag),
                \(content.map { "Compose \($0) is made first. It has the packages of the image's content." }))
            """)
        if !composes.isEmpty {
            _ = try await connection.query(
                "INSERT INTO build_composes (build_id, compose_id) SELECT DISTINCT \(id), c FROM unnest(\(composes)) AS c")
        }
        let waits =
            try await connection.query(
                """
                INSERT INTO build_waits (build_id, waits_for, is_parent)
                SELECT \(id), b.id, b.id = ANY(\(new.parents)) FROM builds b
                WHERE b.state IN (0, 1) AND b.id < \(id) AND (b.id = ANY(\(new.parents)) OR b.image_id = \(new.image))
                """
            ).affectedRows + (content == nil ? 0 : 1)
        let platforms = new.request.definition.platforms.map(\.description)
        _ = try await connection.query(
            """
            INSERT INTO build_steps (build_id, platform, blocked_by, requires, priority, farm, nodes)
            SELECT \(id), s.platform, CASE WHEN s.platform IS NULL THEN \(platforms.count) ELSE \(waits) END,
                \(PostgresJSON(new.request.definition.requires)), \(new.request.priority), \(new.request.placement?.farm),
                \(new.request.placement?.nodes)
            FROM unnest(\(platforms.map(Optional.some) + [nil])) WITH ORDINALITY AS s (platform, number) ORDER BY s.number
            """)
        return id
    }

    /// Returns the tag, or with a number if other builds of the image have the tag.
    private func freeTag(_ tag: ImageTag, of image: Int, on connection: PostgresConnection) async throws -> String {
        let taken = Set(
            try await connection.query(
                "SELECT date_tag FROM builds WHERE image_id = \(image) AND starts_with(date_tag, \(tag.text))"
            ).map { try $0.decode(String.self, "date_tag") })
        var (free, number) = (tag.text, 1)
        while taken.contains(free) {
            number += 1
            free = "\(tag.text).\(number)"
        }
        return free
    }
}
