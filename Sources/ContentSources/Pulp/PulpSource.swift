public import ComposeModel
public import HTTPEnvironment
public import Logging

/// Asks Pulp which repositories stand behind names of content sets and of repositories.
public struct PulpSource: Sendable {
    private let catalog: any PulpCatalog

    /// Reads the files of certificates that `server` names; a change of them is seen by a new value only.
    /// - Parameter httpClient: which follows no redirects and decompresses nothing, as with ``SourceLimits/httpClientConfiguration``.
    public init(_ server: PulpServer, httpClient: OutboundClient, logger: Logger) throws(PulpServer.ConfigurationError) {
        let connection = WebServiceConnection(
            service: server.service, tls: try server.tlsConfiguration(), client: httpClient, logger: logger)
        catalog =
            switch server.version {
            case .pulp2: Pulp2Catalog(server: server, connection: connection)
            case .pulp3: Pulp3Catalog(server: server, connection: connection)
            }
    }

    /// The repositories that `names` stand for: all of a content set where one has the name, else the repository that has it.
    ///
    /// Throws `.sourceUnreachable` (transient) when Pulp does not answer, is busy or breaks off, however often it was asked; `.sourceChanging`
    /// (transient) when what it lists changed again and again while it was read; `.sourceNotUsable` when it refuses this service, is not where or
    /// what the configuration says, or a name cannot be asked for; `.metadataCorrupt` when what it says makes no sense; `.limitExceeded`.
    /// - Parameter includeUnpublished: whether repositories count that Pulp has not published (`include_in_download_service`).
    public func repositories(named names: [String], includeUnpublished: Bool) async throws(ComposeFailure) -> PulpFindings {
        var found: [String: PulpRepository] = [:]
        var rest = names.uniqued()
        let ofSets = try await catalog.records(ofContentSets: rest, publishedOnly: !includeUnpublished)
        for record in ofSets { found[record.repository.id] = record.repository }
        rest.removeAll(where: Set(ofSets.compactMap(\.repository.contentSet)).contains)

        var unpublished: Set<String> = []
        if !rest.isEmpty {
            var usable: Set<String> = []
            for record in try await catalog.records(withIDs: rest) {
                if includeUnpublished || record.isPublished {
                    usable.insert(record.repository.id)
                    found[record.repository.id] = record.repository
                } else {
                    unpublished.insert(record.repository.id)
                }
            }
            rest.removeAll(where: usable.contains)
        }
        if !rest.isEmpty, !includeUnpublished {
            // Only to explain: a set that is there and not published is another mistake than one that is not.
            let hidden = try await catalog.records(ofContentSets: rest, publishedOnly: false)
            unpublished.formUnion(hidden.compactMap(\.repository.contentSet))
        }
        return PulpFindings(
            found: found.values.sorted { $0.id < $1.id }, absent: rest, unpublished: unpublished.intersection(rest))
    }
}

/// What the two generations of Pulp have to answer.
protocol PulpCatalog: Sendable {
    /// All repositories of the content sets of these names.
    func records(ofContentSets names: [String], publishedOnly: Bool) async throws(ComposeFailure) -> [PulpRecord]
    /// The repositories that have these ids, published or not.
    func records(withIDs ids: [String]) async throws(ComposeFailure) -> [PulpRecord]
}
