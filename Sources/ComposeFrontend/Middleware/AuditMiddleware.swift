import ComposeStore
import ForeignText
import HTTPTypes
import Hummingbird
import Identity
import Logging
import Synchronization

/// A middleware that records each write in the audit, each refused write, and each request with wrong
/// credentials. Some writes are recorded by their handlers, in the transaction of the write.
struct AuditMiddleware: RouterMiddleware {
    let log: AuditLog
    let refusals = RefusalCounter()

    func handle(
        _ request: Request, context: FrontendContext, next: (Request, FrontendContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        let isWrite = ![.get, .head, .options].contains(request.method) || context.subject.hasWritten
        let isBadLogin = response.status == .unauthorized && hasCredentials(request)
        guard isWrite || isBadLogin else { return response }
        let route = context.endpointPath ?? "NotFound"
        let status = response.status.code
        let isDone = status < 400
        if isDone, context.subject.isAudited { return response }
        var detail = context.subject.claims
        detail["status"] = String(status)
        if !isDone {
            switch refusals.count(context.peer?.ipAddress ?? "") {
            case .passedOver: return response
            case .recorded(let passedOver): if passedOver > 0 { detail["passed_over"] = String(passedOver) }
            }
        }
        var entry = context.auditEntry(of: request)
        entry.object = context.subject.object ?? request.uri.path.printable(most: 200)
        entry.outcome = isDone ? .done : status >= 500 ? .failed : .refused
        entry.detail = detail
        do {
            try await log.record(entry)
        } catch {
            // The write itself has happened, or was refused. Its log line has the rest.
            context.logger.error("could not write the audit", metadata: ["error": "\(error)"])
        }
        return response
    }

    private func hasCredentials(_ request: Request) -> Bool {
        request.headers[.authorization] != nil || request.headers[.apiKey] != nil
    }
}

extension FrontendContext {
    /// Returns the audit entry of a write that is done, without its object.
    func auditEntry(of request: Request) -> AuditEntry {
        var sender = AuditSender(address: peer?.ipAddress, request: requestID)
        if let identity = subject.sender, identity.isKnown {
            sender = AuditSender(identity, rule: identity.rule, address: sender.address, request: sender.request)
        }
        return AuditEntry("\(request.method.rawValue.prefix(20)) \(endpointPath ?? "NotFound")", by: sender, detail: ["status": "200"])
    }
}

extension RequestSubject {
    /// The object of the request in the audit. Example: `compose 12`.
    fileprivate var object: String? {
        let objects = [
            ("compose", composeID), ("watch", watchID), ("build", buildID), ("rebuild", rebuildID), ("rule", ruleID), ("image", imageID),
        ]
        return objects.lazy.compactMap { name, id in id.map { "\(name) \($0)" } }.first
    }
}

/// A refusal counter bounds the audit entries about refusals. It lets 60 of each address pass in a
/// minute and counts the others.
final class RefusalCounter: Sendable {
    enum Decision: Equatable {
        /// The refusal is recorded, with the number of those of the minute before that were not.
        case recorded(passedOver: Int)
        case passedOver
    }

    private struct Minute {
        let start: ContinuousClock.Instant
        var refusals = 0
    }

    private static let (most, mostAddresses) = (60, 10_000)
    private let minutes = Mutex<[String: Minute]>([:])

    func count(_ address: String, at now: ContinuousClock.Instant = .now) -> Decision {
        minutes.withLock { minutes in
            let known = minutes[address]
            if var minute = known, now - minute.start < .seconds(60) {
                minute.refusals += 1
                minutes[address] = minute
                return minute.refusals <= Self.most ? .recorded(passedOver: 0) : .passedOver
            }
            if known == nil, minutes.count >= Self.mostAddresses {
                minutes = minutes.filter { now - $1.start < .seconds(60) }
                if minutes.count >= Self.mostAddresses { return .passedOver }
            }
            minutes[address] = Minute(start: now, refusals: 1)
            return .recorded(passedOver: max(0, (known?.refusals ?? 0) - Self.most))
        }
    }
}
