import Hummingbird

/// A resource is a path and its handlers by method. Every other method is answered with 405 and the
/// list of possible methods.
struct Resource {
    typealias Handler = @Sendable (Request, FrontendContext) async throws -> Response

    static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect, .query]

    let path: RouterPath
    let handlers: [HTTPRequest.Method: Handler]

    init(_ path: RouterPath, _ handlers: [HTTPRequest.Method: Handler]) {
        self.path = path
        self.handlers = handlers
    }

    /// The methods in the form of the Allow header. GET implies HEAD.
    var allow: String {
        let answered = Self.methods.filter { handlers[$0] != nil || ($0 == .head && handlers[.get] != nil) || $0 == .options }
        return answered.map(\.rawValue).joined(separator: ", ")
    }

    func add(to router: Router<FrontendContext>) {
        let allow = allow
        for method in Self.methods {
            if let handler = handlers[method] {
                router.on(path, method: method, use: handler)
            } else if method == .options {
                router.on(path, method: method) { _, _ in Response(status: .noContent, headers: [.allow: allow]) }
            } else if method != .head || handlers[.get] == nil {
                router.on(path, method: method) { _, _ -> Response in
                    throw RequestRejection(
                        .methodNotAllowed, "\(method.rawValue) is not possible here; these methods are: \(allow).", headers: [.allow: allow]
                    )
                }
            }
        }
    }
}
