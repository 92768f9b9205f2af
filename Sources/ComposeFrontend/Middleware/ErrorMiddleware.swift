import ComposeStore
import ForeignText
import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import Rebuilds

/// A middleware that turns an error of a handler into an answer that explains it: JSON, or a page for a
/// browser. The answer does not contain internal details. The log has them, under the request id that
/// the answer names.
struct ErrorMiddleware: RouterMiddleware {
    let bodyLimit: Int
    /// Each request is checked before it is handled.
    let crossSite: CrossSiteRule
    let metrics: HTTPMetrics
    let pages: WebPages

    func handle(
        _ request: Request, context: FrontendContext, next: (Request, FrontendContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            try crossSite.check(request)
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            // The connection can no longer be used, and the server has to know that.
            throw error
        } catch {
            let rejection = rejection(error, request, context)
            metrics.record(rejection, sender: context.subject.sender?.provider)
            response = try ErrorResponse(rejection).response(to: request, context, pages)
        }
        for (name, value) in context.subject.sender?.replyHeaders ?? [:] {
            if let name = HTTPField.Name(name) { response.headers.append(HTTPField(name: name, value: value)) }
        }
        // If no handler answers the address, there is also no GET handler whose answer becomes the answer to
        // HEAD.
        if request.method == .head { response = response.createHeadResponse() }
        // Appending to the few headers costs less than the index that a subscript makes.
        if request.method == .get || request.method == .head {
            response.headers.append(HTTPField(name: .accessControlAllowOrigin, value: "*"))
        }
        // The state of a compose changes, and a missing compose may appear later. A cache must therefore ask
        // this service each time.
        if !response.headers.contains(where: { $0.name == .cacheControl }) {
            response.headers.append(HTTPField(name: .cacheControl, value: "no-cache"))
        }
        return response
    }

    private func rejection(_ error: any Error, _ request: Request, _ context: FrontendContext) -> RequestRejection {
        switch error {
        case let rejection as RequestRejection:
            return rejection
        case let error as ResubmissionKeyTaken:
            return RequestRejection(
                .unprocessableContent,
                "The Idempotency-Key \(error.key.quoted) is that of another request, which made compose \(error.compose); "
                    + "a new request needs a key of its own.")
        case let error as BuildKeyTaken:
            return RequestRejection(
                .unprocessableContent,
                "The Idempotency-Key \(error.key.quoted) is that of another request, which made build \(error.build). "
                    + "A new request needs a key of its own.")
        case let error as DefinitionNotAllowed:
            return RequestRejection(.forbidden, .owner, "Not allowed: \(error.description).")
        case let error as RebuildKeyTaken:
            return RequestRejection(
                .unprocessableContent,
                "The Idempotency-Key \(error.key.quoted) is that of another request, which made rebuild \(error.rebuild). "
                    + "A new request needs a key of its own.")
        case let error as ComposeNotUsable:
            return .badRequest(error.description)
        case let problem as RebuildProblem:
            return .badRequest(problem.description)
        case let error as CallerLimitReached:
            return RequestRejection(error)
        case let error as OwnerLimitReached:
            return RequestRejection(error)
        case let error as UploadLimitReached:
            return RequestRejection(error)
        case is NIOTooManyBytesError:
            return .bodyTooLarge(limit: bodyLimit)
        case let error as HTTPError where error.status == .notFound:
            guard Resource.methods.contains(request.method) else {
                return RequestRejection(.notImplemented, "This service does not know the method \(request.method.rawValue).")
            }
            return RequestRejection(.notFound, "There is nothing at \(request.uri.path.quoted); the composes are at /api/1/composes/.")
        case let error as HTTPError:
            return RequestRejection(error.status, error.body ?? error.status.reasonPhrase, headers: error.headers)
        case let error as PostgresError where error.isOfLockedRow:
            context.logger.warning("a row is locked for long", metadata: ["error": "\(error)"])
            return RequestRejection(
                .serviceUnavailable, "The compose is being published or changed at this moment; please try again in a few seconds.",
                headers: [.retryAfter: "5"])
        case let error as PostgresError where error.isTransient:
            context.logger.error("database is away", metadata: ["error": "\(error)"])
            return RequestRejection(
                .serviceUnavailable, "The database cannot be reached at the moment; please try again in a few seconds.",
                headers: [.retryAfter: "5"])
        case is CancellationError:
            return RequestRejection(
                .serviceUnavailable, "The server is shutting down; please try again in a few seconds.", headers: [.retryAfter: "5"])
        default:
            context.logger.error("request failed", metadata: ["error": "\(String(reflecting: error))"])
            return RequestRejection(
                .internalServerError, "Something went wrong in the server; its log says what, under the request id \(context.requestID).")
        }
    }
}

/// An error response is a rejection in the form in which it is sent.
struct ErrorResponse {
    private struct Document: Encodable {
        let status: Int
        let error: String
        let message: String
    }

    let rejection: RequestRejection

    /// The title of the page, in words that a person understands.
    private var heading: String {
        switch rejection.status.code {
        case 400: "This address cannot be answered"
        case 401: "You are not logged in"
        case 403: "You may not do this"
        case 404: "There is nothing here"
        case 429: "Too many requests"
        case 503: "Please try again in a moment"
        case 500...: "Something went wrong"
        default: rejection.status.reasonPhrase
        }
    }

    init(_ rejection: RequestRejection) {
        self.rejection = rejection
    }

    /// The values of the page for a browser.
    private struct Page {
        let heading, message, name: String
        let status: Int
        /// The request id, under which the log has more.
        let request: String?
        let login: String?
    }

    func response(to request: Request, _ context: FrontendContext, _ pages: WebPages) throws -> Response {
        var response: Response
        if request.prefersHTML {
            let site = pages.site(request, context)
            let page = Page(
                heading: heading, message: rejection.message, name: rejection.status.reasonPhrase, status: rejection.status.code,
                request: rejection.status.code >= 500 ? context.requestID : nil,
                login: [401, 403].contains(rejection.status.code) ? site.login : nil)
            response = pages.response(
                "error", title: heading, page: page, request, context, site: site, status: rejection.status)
        } else {
            let document = Document(
                status: rejection.status.code, error: rejection.status.reasonPhrase, message: rejection.message)
            response = try Response.json(document, status: rejection.status)
        }
        response.headers.append(contentsOf: rejection.headers)
        return response
    }
}
