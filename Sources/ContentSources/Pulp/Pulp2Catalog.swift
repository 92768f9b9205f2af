import ComposeModel
import Foundation

/// The catalog of Pulp 2. It searches the notes of repositories, and reads one resource for each
/// repository.
struct Pulp2Catalog: PulpCatalog {
    let server: PulpServer
    let connection: WebServiceConnection

    /// The body of `POST repositories/search/`.
    private struct Search: Encodable {
        struct Criteria: Encodable {
            let filters: Filters
            let fields = ["notes", "id"]
        }
        struct Filters: Encodable {
            let contentSets: OneOf
            let published: String?

            enum CodingKeys: String, CodingKey {
                case contentSets = "notes.content_set"
                case published = "notes.include_in_download_service"
            }
        }
        struct OneOf: Encodable {
            let values: [String]

            enum CodingKeys: String, CodingKey {
                case values = "$in"
            }
        }
        let criteria: Criteria
    }

    private struct Repository: Decodable {
        let id: String
        let notes: PulpNotes
    }

    func records(ofContentSets names: [String], publishedOnly: Bool) async throws(ComposeFailure) -> [PulpRecord] {
        let search = Search(criteria: .init(filters: .init(contentSets: .init(values: names), published: publishedOnly ? "True" : nil)))
        let body: Data
        do {
            body = try JSONEncoder().encode(search)
        } catch {
            throw ComposeFailure(.internal, "The names of content sets could not be written as JSON.")
        }
        let found = try await connection.decode([Repository].self, from: WebServiceQuestion("repositories/search/", body: body))
        guard found.count <= server.limits.repositories else {
            throw server.tooMany(found.count)
        }
        let asked = Set(names)
        return try found.map { repository throws(ComposeFailure) in
            guard let set = repository.notes.contentSet, asked.contains(set) else {
                throw connection.service.senseless("it lists the repository \(repository.id.shown), which was not asked for")
            }
            return try record(repository)
        }
    }

    func records(withIDs ids: [String]) async throws(ComposeFailure) -> [PulpRecord] {
        var records: [PulpRecord] = []
        for id in ids where Self.isID(id) {
            guard let found = try await connection.decodeIfThere(Repository.self, from: WebServiceQuestion("repositories/\(id)/")) else {
                continue
            }
            guard found.id == id else {
                throw connection.service.senseless("asked for the repository \(id), it describes \(found.id.shown)")
            }
            records.append(try record(found))
        }
        return records
    }

    private func record(_ repository: Repository) throws(ComposeFailure) -> PulpRecord {
        guard let path = repository.notes.relativeURL else {
            throw connection.service.senseless(
                "it does not say where the repository \(repository.id.shown) is: its note relative_url is missing")
        }
        let content = server.content
        // The objection itself is not reported. The path came from Pulp, so Pulp's answer is at fault in any
        // case.
        guard let url = try? content.appending(href: path), url.isWithin(content) else {
            throw connection.service.senseless(
                "the repository \(repository.id.shown) has a relative_url that is no path below the server's address")
        }
        return PulpRecord(id: repository.id, notes: repository.notes, url: url, isGuarded: false)
    }

    /// Returns whether a name can be the id of a repository.
    ///
    /// Ids of Pulp 2 have only ASCII letters, digits, `-`, `_` and `.`. Another name is not the id of a
    /// repository, and no id needs escapes in a path.
    private static func isID(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        } && !name.allSatisfy { $0 == "." }
    }
}
