import HTTPTypes
import Hummingbird

/// A resource is a path with an operation for each of its methods. Every other method is answered with
/// 405 and the list of possible methods.
struct Resource {
    typealias Handler = @Sendable (Request, FrontendContext) async throws -> Response
    typealias FormHandler = @Sendable (Request, SentForm, FrontendContext, Grant) async throws -> Response
    typealias GrantedHandler = @Sendable (Request, FrontendContext, Grant) async throws -> Response

    /// An operation is a handler with the declaration of its access. There is no handler without one.
    enum Operation: Sendable {
        /// Everybody may read. Credentials are not looked at. Example: files, for which dnf may send
        /// credentials of another server.
        case unguarded(Handler)
        /// Everybody may read. Credentials are optional, but wrong ones are refused.
        case open(Handler)
        /// The sender needs a permission. The handler gets the sender's grant.
        case needs(Permission, GrantedHandler)
        /// A page that everybody may read. Besides credentials, the session of a browser shows who reads it.
        case page(Handler)
        /// A page for people with a permission. Others are led to the login, if there is one.
        case personalPage(Permission, GrantedHandler)
        /// A form of a page, which the sender needs a permission for. The form must be one of this service.
        case form(Permission, FormHandler)

        var isForReadingOnly: Bool {
            switch self {
            case .unguarded, .open, .page, .personalPage: true
            case .needs, .form: false
            }
        }
    }

    static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect, .query]

    let path: RouterPath
    let operations: [HTTPRequest.Method: Operation]

    /// - Precondition: Only GET and HEAD are open.
    init(_ path: RouterPath, _ operations: [HTTPRequest.Method: Operation]) {
        for (method, operation) in operations {
            precondition(
                !operation.isForReadingOnly || method == .get || method == .head, "\(method.rawValue) \(path) must need a permission")
        }
        self.path = path
        self.operations = operations
    }

    /// The methods in the form of the Allow header. GET implies HEAD.
    var allow: String {
        let answered = Self.methods.filter { operations[$0] != nil || ($0 == .head && operations[.get] != nil) || $0 == .options }
        return answered.map(\.rawValue).joined(separator: ", ")
    }

    func add(to router: Router<FrontendContext>, access: AccessControl) {
        let allow = allow
        for method in Self.methods {
            if let operation = operations[method] {
                router.on(path, method: method, use: access.handler(of: operation))
            } else if method == .options {
                router.on(path, method: method) { _, _ in Response(status: .noContent, headers: [.allow: allow]) }
            } else if method != .head || operations[.get] == nil {
                router.on(path, method: method) { _, _ -> Response in
                    throw RequestRejection(
                        .methodNotAllowed, "\(method.rawValue) is not possible here; these methods are: \(allow).", headers: [.allow: allow]
                    )
                }
            }
        }
    }
}

extension AccessControl {
    /// Returns the handler of an operation that asks for the sender first.
    fileprivate func handler(of operation: Resource.Operation) -> Resource.Handler {
        switch operation {
        case .unguarded(let handler): handler
        case .open(let handler):
            { request, context in
                context.subject.sender = try await sender(of: request, context)
                return try await handler(request, context)
            }
        case .needs(let permission, let handler):
            { request, context in
                let sender = try await sender(of: request, context)
                context.subject.sender = sender
                return try await handler(request, context, try grant(permission, to: sender))
            }
        case .page(let handler):
            { request, context in
                context.subject.sender = try await visitor(request, context)
                return try await handler(request, context)
            }
        case .personalPage(let permission, let handler):
            { request, context in
                let visitor = try await visitor(request, context)
                context.subject.sender = visitor
                if visitor == nil, let login = loginAddress(for: request) {
                    return Response(status: .seeOther, headers: [.location: login, .cacheControl: "no-store"])
                }
                return try await handler(request, context, try grant(permission, to: visitor))
            }
        case .form(let permission, let handler):
            { request, context in
                let visitor = try await visitor(request, context)
                context.subject.sender = visitor
                let grant = try grant(permission, to: visitor)
                let form = try await SentForm(request)
                try form.check(request, context, cookies)
                return try await handler(request, form, context, grant)
            }
        }
    }
}
