import Postgres

/// What a frontend takes requests for, as far as workers need a configuration for it.
public struct ServiceOffer: Hashable, Sendable, Codable {
    /// The names of source types.
    public var sourceTypes: Set<String>
    /// The names of target directories.
    public var targets: Set<String>
    /// The directories and address prefixes that may be read.
    public var sources: Set<String>

    public init(sourceTypes: Set<String>, targets: Set<String>, sources: Set<String>) {
        self.sourceTypes = sourceTypes
        self.targets = targets
        self.sources = sources
    }
}

extension ComposeStore {
    /// Says what the frontend that starts now takes.
    public func say(_ offer: ServiceOffer) async throws {
        _ = try await pool.query(
            """
            INSERT INTO service_offer (offer) VALUES (\(PostgresJSON(offer)))
            ON CONFLICT (is_offer) DO UPDATE SET offer = excluded.offer, said_at = now()
            """)
    }

    /// What the frontend that started last takes; `nil` where none has ever started.
    public func serviceOffer() async throws -> ServiceOffer? {
        try await pool.query("SELECT offer FROM service_offer").first?.decode(PostgresJSON<ServiceOffer>.self, "offer").value
    }
}
