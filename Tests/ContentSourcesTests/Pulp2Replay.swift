import Foundation

/// A Pulp 2 as its callers know it: a search by notes, one resource for each repository, 404 with an `error_message`.
struct Pulp2Replay: Sendable {
    struct Repository: Sendable {
        let id: String
        /// Values are JSON.
        let notes: [String: String]

        var json: String {
            let notes = notes.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
            return "{\"id\": \"\(id)\", \"display_name\": null, \"notes\": {\(notes)}}"
        }

        init(_ id: String, set: String, arch: String = "x86_64", published: String = "True", path: String? = nil) {
            self.id = id
            notes = [
                "content_set": "\"\(set)\"", "arch": "\"\(arch)\"", "signatures": "\"fd431d51,0b3e5524\"",
                "relative_url": "\"\(path ?? "content/\(set)/\(arch)/os")\"", "product_versions": "[\"7.2\", \"7.3\"]",
                "include_in_download_service": "\"\(published)\"",
            ]
        }
    }

    let repositories: [Repository]

    func answer(_ request: PulpHTTPServer.Request) -> PulpHTTPServer.Answer {
        let root = "/pulp/api/v2/repositories/"
        guard request.path.hasPrefix(root) else { return .html("<h1>Not found</h1>", status: 404) }
        let rest = String(request.path.dropFirst(root.count))
        if request.method == "POST" {
            guard rest == "search/", let filters = Self.filters(request.body) else {
                return .json("{\"error_message\": \"Invalid properties\"}", status: 400)
            }
            let sets = filters["notes.content_set"] as? [String: [String]]
            let published = filters["notes.include_in_download_service"] as? String
            let found = repositories.filter { repository in
                sets?["$in"]?.contains { "\"\($0)\"" == repository.notes["content_set"] } ?? false
                    && (published == nil || repository.notes["include_in_download_service"] == "\"\(published ?? "")\"")
            }
            return .json("[\(found.map(\.json).joined(separator: ", "))]")
        }
        guard let found = repositories.first(where: { "\($0.id)/" == rest }) else {
            return .json("{\"error_message\": \"Missing resource(s): repo_id\", \"http_status\": 404}", status: 404)
        }
        return .json(found.json)
    }

    /// The filters of a search, if it asks for the two fields.
    private static func filters(_ body: [UInt8]) -> [String: Any]? {
        let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        let criteria = object?["criteria"] as? [String: Any]
        guard criteria?["fields"] as? [String] == ["notes", "id"] else { return nil }
        return criteria?["filters"] as? [String: Any]
    }
}
