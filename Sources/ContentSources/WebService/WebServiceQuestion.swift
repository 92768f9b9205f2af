import Foundation

/// One thing to ask of a web service's API.
struct WebServiceQuestion: Sendable {
    /// Below the address of the API.
    let path: String
    /// A name may be there more than once.
    let query: [(name: String, value: String)]
    /// JSON to POST; `nil` for a GET.
    let body: Data?

    init(_ path: String, query: [(name: String, value: String)] = [], body: Data? = nil) {
        self.path = path
        self.query = query
        self.body = body
    }

    func url(below api: RepositoryURL) -> String {
        let pairs = query.map { "\($0.name)=\($0.value.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? "")" }
        return "\(api.request)/\(path)" + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    private static let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
