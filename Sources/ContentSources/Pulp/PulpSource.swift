public import ComposeModel
public import HTTPEnvironment
public import Logging

/// A source that asks Pulp for the repositories behind names of content sets and names of repositories.
public struct PulpSource: Sendable {
    private let catalog: any PulpCatalog

    /// Creates a source and reads the certificate files that `server` names. A later change of these files
    /// is seen by a new value only.
    /// - Parameter httpClient: A client that follows no redirects and decompresses nothing, as with
    ///   ``SourceLimits/httpClientConfiguration``.
    public init(_ server: PulpServer, httpClient: OutboundClient, logger: Logger) throws(PulpServer.ConfigurationError) {
        let connection = WebServiceConnection(
            service: server.service, tls: try server.tlsConfiguration(), client: httpClient, logger: logger)
        catalog =
            switch server.version {
            case .pulp2: Pulp2Catalog(server: server, connection: connection)
            case .pulp3: Pulp3Catalog(server: server, connection: connection)
            }
    }

    /// Returns the repositories that `names` stand for. A name stands for all repositories of the content
    /// set with that name. If there is no usable content set with that name, it stands for the repository
    /// with that id.
    ///
    /// - Parameter includeUnpublished: Whether to include repositories that Pulp has not published
    ///   (`include_in_download_service`).
    ///
    /// Throws a `ComposeFailure`:
    /// - `.sourceUnreachable` (transient) if Pulp does not answer, is busy or breaks off at every attempt.
    /// - `.sourceChanging` (transient) if a list changed each time while it was read.
    /// - `.sourceNotUsable` if Pulp refuses ODCS, is not at the configured address or not of the configured
    ///   version, or if a query cannot carry a name.
    /// - `.metadataCorrupt` if an answer makes no sense.
    /// - `.limitExceeded` if an answer is too large or has too many repositories.
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
            // This look only serves the explanation: an unpublished content set is another mistake than one that
            // does not exist.
            let hidden = try await catalog.records(ofContentSets: rest, publishedOnly: false)
            unpublished.formUnion(hidden.compactMap(\.repository.contentSet))
        }
        return PulpFindings(
            found: found.values.sorted { $0.id < $1.id }, absent: rest, unpublished: unpublished.intersection(rest))
    }
}

/// The queries that both generations of Pulp answer.
protocol PulpCatalog: Sendable {
    /// Returns all repositories of the content sets with these names.
    func records(ofContentSets names: [String], publishedOnly: Bool) async throws(ComposeFailure) -> [PulpRecord]
    /// Returns the repositories with these ids, published or not.
    func records(withIDs ids: [String]) async throws(ComposeFailure) -> [PulpRecord]
}
