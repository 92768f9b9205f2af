import Hummingbird
import Identity
import Logging

/// A middleware that writes one log line for each request, and counts it.
struct RequestLogMiddleware: RouterMiddleware {
    let metrics: HTTPMetrics

    func handle(
        _ request: Request, context: FrontendContext, next: (Request, FrontendContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let duration = ContinuousClock.now - start
        let route = context.endpointPath ?? "NotFound"
        metrics.record(method: request.method, route: route, status: response.status, duration: duration)
        guard context.logger.logLevel <= .info else { return response }
        var metadata: Logger.Metadata = [
            "method": .string(String(request.method.rawValue.prefix(20))), "route": .string(route),
            "status": .string(String(response.status.code)), "duration_ms": .string(String(duration.milliseconds)),
        ]
        if let sender = context.subject.sender, sender.isKnown {
            metadata["sender"] = .string(sender.account.text)
            metadata["provider"] = .string(sender.provider)
        }
        if let id = context.subject.composeID { metadata["compose"] = "\(id)" }
        if let id = context.subject.watchID { metadata["watch"] = "\(id)" }
        if let id = context.subject.imageID { metadata["image"] = "\(id)" }
        if let id = context.subject.buildID { metadata["build"] = "\(id)" }
        if let id = context.subject.rebuildID { metadata["rebuild"] = "\(id)" }
        context.logger.info("request answered", metadata: metadata)
        return response
    }
}

extension Duration {
    /// The duration in milliseconds, with two digits after the decimal point.
    fileprivate var milliseconds: Double {
        ((self / .milliseconds(1)) * 100).rounded() / 100
    }
}
