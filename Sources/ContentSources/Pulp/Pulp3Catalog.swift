import ComposeModel
import Foundation

/// The catalog of Pulp 3. A distribution serves a repository, and a label of the distribution names its
/// content set.
struct Pulp3Catalog: PulpCatalog {
    let server: PulpServer
    let connection: WebServiceConnection

    private struct Page: Decodable {
        let count: Int
        let results: [Distribution]
    }

    private struct Distribution: Decodable {
        let name: String
        let baseURL: String
        let labels: PulpNotes
        let contentGuard: String?

        enum CodingKeys: String, CodingKey {
            case name
            case baseURL = "base_url"
            case labels = "pulp_labels"
            case contentGuard = "content_guard"
        }
    }

    /// The number of times that a list is read if it changes while it is read.
    private static let readings = 3

    func records(ofContentSets names: [String], publishedOnly: Bool) async throws(ComposeFailure) -> [PulpRecord] {
        var found: [Distribution] = []
        for filter in try Pulp3Filter.contentSets(names, publishedOnly: publishedOnly) { found += try await distributions(filter) }
        let asked = Set(names)
        return try found.map { distribution throws(ComposeFailure) in
            guard let set = distribution.labels.contentSet, asked.contains(set) else { throw notAskedFor(distribution) }
            return try record(distribution)
        }
    }

    func records(withIDs ids: [String]) async throws(ComposeFailure) -> [PulpRecord] {
        var found: [Distribution] = []
        for filter in try Pulp3Filter.names(ids) { found += try await distributions(filter) }
        let asked = Set(ids)
        return try found.map { distribution throws(ComposeFailure) in
            guard asked.contains(distribution.name) else { throw notAskedFor(distribution) }
            return try record(distribution)
        }
    }

    private func notAskedFor(_ distribution: Distribution) -> ComposeFailure {
        connection.service.senseless("it lists the distribution \(distribution.name.shown), which was not asked for")
    }

    private func distributions(_ filter: Pulp3Filter) async throws(ComposeFailure) -> [Distribution] {
        for _ in 0..<Self.readings {
            if let complete = try await reading(filter) { return complete }
        }
        throw ComposeFailure(
            .sourceChanging,
            "What \(connection.service.name) lists for the names in this request changed each time while it was read; try again later.",
            isTransient: true)
    }

    /// Returns the entries of all pages of the list, or `nil` if the list changed in between, so that the
    /// pages do not fit together.
    ///
    /// The pages' addresses are made here and not taken from `next`. That address has the host name that
    /// Pulp gives itself, and our credentials would be sent there. The number of pages is bounded, because
    /// no page may be empty and the total may not exceed the limit.
    private func reading(_ filter: Pulp3Filter) async throws(ComposeFailure) -> [Distribution]? {
        let limits = server.limits
        var found: [String: Distribution] = [:]
        var offset = 0
        var total: Int?
        repeat {
            let page = try await connection.decode(
                Page.self,
                from: WebServiceQuestion(
                    "distributions/rpm/rpm/",
                    query: [
                        filter.parameter, ("fields", "name,base_url,pulp_labels,content_guard"), ("limit", String(limits.pageSize)),
                        ("offset", String(offset)),
                    ]))
            guard (0...limits.repositories).contains(page.count) else { throw server.tooMany(page.count) }
            guard total == nil || total == page.count, !page.results.isEmpty || offset == page.count else { return nil }
            total = page.count
            offset += page.results.count
            for distribution in page.results { found[distribution.name] = distribution }
        } while offset < total ?? 0
        return found.count == total ? Array(found.values) : nil
    }

    private func record(_ distribution: Distribution) throws(ComposeFailure) -> PulpRecord {
        let url: RepositoryURL
        do {
            // A Pulp that does not know the address of its content gives the path alone.
            let isPath = distribution.baseURL.hasPrefix("/")
            url = try RepositoryURL(isPath ? server.content.origin + distribution.baseURL : distribution.baseURL)
        } catch {
            throw connection.service.senseless(
                "the base_url of the distribution \(distribution.name.shown) cannot be used: \(error.reason)")
        }
        return PulpRecord(
            id: distribution.name, notes: distribution.labels, url: url, isGuarded: distribution.contentGuard != nil)
    }
}
