public import ImageModel
public import Postgres

/// One page of a list of images, in the order of their names.
public struct ImagePage: Sendable {
    public var items: [Image]
    /// The number of images on all pages.
    public var total: Int
}

/// The outcome of adding an image.
public enum AddOutcome: Sendable {
    case added(Image)
    /// The image was known already, and has the new definition now.
    case changed(Image)
    case notAllowed(String)
}

extension ComposeStore {
    /// Adds an image, or gives a known image a new definition. Builds that were submitted before keep the
    /// old one.
    public func addImage(_ repository: ImageRepository, as definition: ImageDefinition, by actor: Actor) async throws -> AddOutcome {
        try addOutcome(try await pool.query(addition(of: repository, as: definition, by: actor)), repository)
    }

    /// Returns the statement that adds an image, or gives a known image a new definition.
    func addition(of repository: ImageRepository, as definition: ImageDefinition, by actor: Actor) -> SQL {
        """
        INSERT INTO images AS i (owner, repository, definition)
        VALUES (\(actor.name), \(Self.key(of: repository, definition.artifact)), \(PostgresJSON(definition)))
        ON CONFLICT (repository) WHERE removed_at IS NULL DO UPDATE SET definition = excluded.definition
            WHERE i.owner = excluded.owner OR \(actor.isAdmin)
        RETURNING \(fragment: Image.columns), xmax = 0 AS is_new
        """
    }

    /// Returns the outcome of ``addition(of:as:by:)`` from its rows.
    func addOutcome(_ rows: PostgresRows, _ repository: ImageRepository) throws -> AddOutcome {
        guard let row = rows.first else { return .notAllowed(DefinitionNotAllowed(of: repository).description) }
        return try row.decode(Bool.self, "is_new") ? .added(Image(row)) : .changed(Image(row))
    }

    /// Gives an image a new definition, if it still has the old one.
    ///
    /// - Returns: `nil` if the image was removed, or has another definition than `old` by now.
    public func changeImage(_ id: Int, from old: ImageDefinition, to new: ImageDefinition) async throws -> Image? {
        try await pool.query(
            """
            UPDATE images i SET definition = \(PostgresJSON(new))
            WHERE i.id = \(id) AND i.removed_at IS NULL AND i.definition = \(PostgresJSON(old)) RETURNING \(fragment: Image.columns)
            """
        ).first.map(Image.init)
    }

    /// Returns the image with that id, or `nil` if no image has it. A removed image is returned as well.
    public func image(_ id: Int) async throws -> Image? {
        try await pool.query("SELECT \(fragment: Image.columns) FROM images i WHERE i.id = \(id)").first.map(Image.init)
    }

    /// Returns the image with that name, or `nil` if no image has it.
    ///
    /// - Parameter artifact: The artifact that the image is. It can also be another one with the same name.
    public func image(named repository: ImageRepository, artifact: Artifact? = nil) async throws -> Image? {
        try await pool.query(named(repository, artifact)).first.map(Image.init)
    }

    /// Returns the query for the image with a name.
    func named(_ repository: ImageRepository, _ artifact: Artifact?) -> SQL {
        """
        SELECT \(fragment: Image.columns) FROM images i
        WHERE i.repository = \(Self.key(of: repository, artifact)) AND i.removed_at IS NULL
        """
    }

    /// Returns the text by which an image is found. One repository has several artifacts, so those have
    /// their tags there too. Example: `registry.example.org/mps-main-image:rocky9`.
    private static func key(of repository: ImageRepository, _ artifact: Artifact?) -> String {
        artifact.map { "\(repository):\($0.movingTag)" } ?? repository.description
    }

    /// Returns one page of the images that were not removed.
    public func images(page: Int = 1, perPage: Int = 10) async throws -> ImagePage {
        let page = try await self.page(
            PagePlace(page: page, perPage: perPage), of: Image.columns, "FROM images i WHERE i.removed_at IS NULL",
            orderedBy: "i.repository", read: Image.init)
        return ImagePage(items: page.items, total: page.total)
    }

    /// Removes an image. Its open builds go on. Nothing happens in the registry.
    ///
    /// - Returns: `false` if there is no such image, or if it is not the actor's.
    public func removeImage(_ id: Int, by actor: Actor) async throws -> Bool {
        try await pool.query(
            """
            UPDATE images SET removed_at = now() WHERE id = \(id) AND removed_at IS NULL AND (owner = \(actor.name) OR \(actor.isAdmin))
            """
        ).affectedRows == 1
    }

    /// Returns the digest that a tag of an image showed when this service last wrote it or looked at it.
    public func publishedDigest(of image: Int, tag: ImageTag) async throws -> ImageDigest? {
        try await pool.query("SELECT digest FROM published_tags WHERE image_id = \(image) AND tag = \(tag.text)")
            .first.map { try ImageDigest($0.decode(String.self, "digest")) }
    }

    /// Records a look at a tag of an image that this service did not build.
    ///
    /// - Parameter manifests: The manifest for each platform. They are those in use from now on.
    public func recordLook(
        at image: Int, tag: ImageTag, digest: ImageDigest, manifests: [Platform: ImageDigest]
    ) async throws {
        try await pool.withTransaction { connection in
            try await record(image, shows: digest, at: [tag], madeBy: nil, on: connection)
            try await use(manifests, of: image, on: connection)
        }
    }

    /// Records that tags of an image show a manifest list.
    func record(
        _ image: Int, shows digest: ImageDigest, at tags: [ImageTag], madeBy build: Int?, on connection: PostgresConnection
    ) async throws {
        _ = try await connection.query(
            Self.record(digest, at: tags, of: "SELECT \(image)::bigint AS image_id, \(build)::bigint AS build_id"))
    }

    /// Returns the statement that records that tags of an image show a manifest list.
    ///
    /// - Parameter image: A query for the image in the column `image_id`, and the build that made the list in
    ///   `build_id`. Without a row, nothing is recorded.
    static func record(_ digest: ImageDigest, at tags: [ImageTag], of image: SQL) -> SQL {
        """
        INSERT INTO published_tags AS t (image_id, tag, digest, build_id)
        SELECT DISTINCT i.image_id, tag, \(digest.description), i.build_id FROM (\(fragment: image)) i, unnest(\(tags.map(\.text))) AS tag
        ON CONFLICT (image_id, tag) DO UPDATE SET digest = excluded.digest, seen_at = now(),
            build_id = CASE WHEN t.digest = excluded.digest THEN coalesce(excluded.build_id, t.build_id) ELSE excluded.build_id END
        """
    }

    /// Makes these manifests those in use, and no others.
    func use(_ manifests: [Platform: ImageDigest], of image: Int, on connection: PostgresConnection) async throws {
        let statements = Self.use(manifests, of: "SELECT \(image)::bigint AS image_id")
        _ = try await connection.query(statements.unused)
        _ = try await connection.query(statements.used)
    }

    /// Returns the statements that make these manifests those in use, and no others. They change different
    /// rows, so they can be parts of one statement.
    ///
    /// - Parameter image: A query for the image in the column `image_id`. Without a row, nothing is changed.
    static func use(_ manifests: [Platform: ImageDigest], of image: SQL) -> (unused: SQL, used: SQL) {
        let platforms = manifests.keys.sorted()
        let unused: SQL = """
            DELETE FROM image_manifests m USING (\(fragment: image)) i
            WHERE m.image_id = i.image_id AND NOT m.platform = ANY(\(platforms.map(\.description)))
            """
        let used: SQL = """
            INSERT INTO image_manifests (image_id, platform, digest, is_known)
            SELECT i.image_id, n.platform, n.digest,
                EXISTS (SELECT FROM contents c WHERE c.digest = n.digest AND c.state <> 'unknown')
            FROM (\(fragment: image)) i,
                unnest(\(platforms.map(\.description)), \(platforms.compactMap { manifests[$0]?.description })) AS n (platform, digest)
            ON CONFLICT (image_id, platform) DO UPDATE SET digest = excluded.digest, is_known = excluded.is_known
            """
        return (unused, used)
    }
}
