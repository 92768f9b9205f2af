import Synchronization

/// The descriptions of the API that this process has made, by the base address that they name.
///
/// A description depends only on the configuration and on that address. It takes tens of milliseconds
/// to make one, so callers use a thread pool.
final class KnownDescriptions: Sendable {
    /// The maximum number of addresses. Without `server_url`, clients choose them by their Host header.
    private static let most = 16

    private struct Entry {
        let description: OpenAPIDescription
        var operations: [OpenAPIDescription.Operation]?
    }

    private let entries: Mutex<[String: Entry]> = Mutex([:])

    /// Returns the description for the base address `server`.
    func description(_ configuration: FrontendConfiguration, server: String) throws -> OpenAPIDescription {
        if let known = entries.withLock({ $0[server]?.description }) { return known }
        let description = try OpenAPIDescription(configuration, server: server)
        entries.withLock { entries in
            if entries.count >= Self.most { entries.removeAll() }
            entries[server] = Entry(description: description)
        }
        return description
    }

    /// Returns the operations, for a page for people.
    func operations(_ configuration: FrontendConfiguration, server: String) throws -> [OpenAPIDescription.Operation] {
        if let known = entries.withLock({ $0[server]?.operations }) { return known }
        let operations = try description(configuration, server: server).operations
        entries.withLock { $0[server]?.operations = operations }
        return operations
    }
}
