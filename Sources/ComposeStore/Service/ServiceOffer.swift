import Postgres

/// A description of the requests that a frontend accepts. It contains only the parts for which a worker
/// needs configuration.
public struct ServiceOffer: Hashable, Sendable, Codable {
    /// The names of the accepted source types. Example: `pungi_compose`.
    public var sourceTypes: Set<String>
    /// The names of the target directories. Example: `default`.
    public var targets: Set<String>
    /// The directories and URL prefixes that may be read.
    public var sources: Set<String>

    public init(sourceTypes: Set<String>, targets: Set<String>, sources: Set<String>) {
        self.sourceTypes = sourceTypes
        self.targets = targets
        self.sources = sources
    }
}

extension ComposeStore {
    /// Records the offer of a frontend that starts now. It replaces the previous offer.
    public func say(_ offer: ServiceOffer) async throws {
        _ = try await pool.query(
            """
            INSERT INTO service_offer (offer) VALUES (\(PostgresJSON(offer)))
            ON CONFLICT (is_offer) DO UPDATE SET offer = excluded.offer, said_at = now()
            """)
    }

    /// Returns the offer of the frontend that started last, or `nil` if no frontend has ever started.
    public func serviceOffer() async throws -> ServiceOffer? {
        try await pool.query("SELECT offer FROM service_offer").first?.decode(PostgresJSON<ServiceOffer>.self, "offer").value
    }
}
