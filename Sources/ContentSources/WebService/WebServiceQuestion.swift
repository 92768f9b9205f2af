import ForeignText
import Foundation

/// A *question* is one request to the API of a web service: path, query and body.
struct WebServiceQuestion: Sendable {
    /// The path below the address of the API.
    let path: String
    /// The parameters of the query. A name may occur more than once.
    let query: [(name: String, value: String)]
    /// The JSON to POST, or `nil` for a GET.
    let body: Data?

    init(_ path: String, query: [(name: String, value: String)] = [], body: Data? = nil) {
        self.path = path
        self.query = query
        self.body = body
    }

    func url(below api: RepositoryURL) -> String {
        let pairs = query.map { "\($0.name)=\($0.value.percentEncoded)" }
        return "\(api.request)/\(path)" + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }
}
