import Foundation
import NIOHTTP1

/// One request to the service: what is asked, of which path.
struct Call: Sendable {
    var method: HTTPMethod
    var path: String
    var query: [(name: String, value: String)] = []
    var body: Data?

    /// Only what changes nothing may be asked twice: a POST whose answer was lost may have made a compose.
    var isRepeatable: Bool { method == .GET }

    private static let composes = "/api/1/composes/"

    static func get(_ id: Int) -> Call { Call(method: .GET, path: composes + String(id)) }
    static func list(_ query: ComposeQuery) -> Call { Call(method: .GET, path: composes, query: query.items) }
    static let about = Call(method: .GET, path: "/api/1/about/")
    static func delete(_ id: Int) -> Call { Call(method: .DELETE, path: composes + String(id)) }
    static func submit(_ submission: ComposeSubmission) throws -> Call {
        Call(method: .POST, path: composes, body: try JSONEncoder().encode(submission))
    }
    static func renew(_ id: Int, _ renewal: ComposeRenewal) throws -> Call {
        Call(method: .PATCH, path: composes + String(id), body: try JSONEncoder().encode(renewal))
    }
}
