import ComposeModel
import Foundation
import NIOHTTP1

/// A call is one request to the service.
struct Call: Sendable {
    var method: HTTPMethod
    var path: String
    var query: [(name: String, value: String)] = []
    var body: Data?
    /// A file that is sent instead of ``body``.
    var upload: ContextUpload?
    /// The key by which the service recognizes a repetition.
    var idempotencyKey: String?
    /// Whether the call has the same effect when it is repeated without a key.
    var isIdempotent = false

    /// Returns whether repeating the call may help and has no second effect. A call that changes something
    /// may have had its effect although its answer was lost.
    func isRepeatable(after error: ComposeClientError, patience: Patience) -> Bool {
        if method == .GET { return error.isPassing || (patience == .established && error.code == .timedOut) }
        return (isIdempotent || idempotencyKey != nil) && (error.isPassing || error.code == .timedOut || error.isFaultOfTheService)
    }

    /// Whether the original ODCS also knows the address. It has composes and a description of itself, and
    /// nothing below them.
    var isOfOriginal: Bool {
        guard path.hasPrefix(Self.composes) else { return path == Self.about.path }
        return path.dropFirst(Self.composes.count).allSatisfy(\.isNumber)
    }

    private static let composes = "/api/1/composes/"

    static func get(_ id: Int) -> Call { Call(method: .GET, path: composes + String(id)) }
    /// - Parameter seconds: The time that the service may wait for another state than `state`. Services
    ///   that do not know this answer at once.
    static func get(_ id: Int, waiting seconds: Int, while state: String) -> Call {
        Call(method: .GET, path: composes + String(id), query: [("wait", String(seconds)), ("while", state)])
    }
    static func list(_ query: ComposeQuery) -> Call { Call(method: .GET, path: composes, query: query.items) }
    static func dryRun(_ submission: ComposeSubmission) throws -> Call {
        Call(method: .POST, path: composes, query: [("dry_run", "1")], body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func why(_ id: Int, package: String) -> Call {
        Call(method: .GET, path: "\(composes)\(id)/why", query: [("package", package)])
    }
    static func whyNot(_ id: Int, package: String) -> Call {
        Call(method: .GET, path: "\(composes)\(id)/why-not", query: [("package", package)])
    }
    static func difference(from: Int, to: Int) -> Call {
        Call(method: .GET, path: "/api/1/diff", query: [("from", String(from)), ("to", String(to))])
    }
    static let about = Call(method: .GET, path: "/api/1/about/")
    static func delete(_ id: Int) -> Call { Call(method: .DELETE, path: composes + String(id)) }
    static func submit(_ submission: ComposeSubmission, idempotencyKey: String) throws -> Call {
        Call(method: .POST, path: composes, body: try JSONEncoder().encode(submission), idempotencyKey: idempotencyKey)
    }
    /// - Parameter body: The body, as JSON.
    static func submit(_ body: Data, idempotencyKey: String) -> Call {
        Call(method: .POST, path: composes, body: body, idempotencyKey: idempotencyKey)
    }
    static func renew(_ id: Int, _ renewal: ComposeRenewal, idempotencyKey: String) throws -> Call {
        Call(method: .PATCH, path: composes + String(id), body: try JSONEncoder().encode(renewal), idempotencyKey: idempotencyKey)
    }

    private static let watches = "/api/1/watches/"

    static func watch(_ id: Int) -> Call { Call(method: .GET, path: watches + String(id)) }
    static func watches(_ query: WatchQuery) -> Call { Call(method: .GET, path: watches, query: query.items) }
    static func startWatch(_ submission: ComposeSubmission) throws -> Call {
        Call(method: .POST, path: watches, body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func endWatch(_ id: Int) -> Call { Call(method: .DELETE, path: watches + String(id), isIdempotent: true) }
}
