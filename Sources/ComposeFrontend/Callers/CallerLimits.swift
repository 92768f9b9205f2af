import ComposeStore
import Hummingbird
import Identity

/// Caller limits bound the waiting composes, the watches and the uploads of one address. They are
/// needed as long as requests need no authentication.
public struct CallerLimits: Sendable {
    /// The maximum number of one caller's composes that wait for a worker. 0 means no limit.
    public var waitingComposes: Int
    /// The maximum number of one caller's active watches. 0 means no limit.
    public var watches: Int
    /// The megabytes of build contexts and components that one caller may upload within 24 hours. 0 means
    /// no limit.
    public var uploadMegabytes: Int
    /// Addresses of proxies whose `X-Forwarded-For` names the caller. Example: `192.0.2.1`.
    public var trustedProxies: Set<String>

    public init(waitingComposes: Int = 0, watches: Int = 0, uploadMegabytes: Int = 0, trustedProxies: Set<String> = []) {
        self.waitingComposes = waitingComposes
        self.watches = watches
        self.uploadMegabytes = uploadMegabytes
        self.trustedProxies = Set(trustedProxies.map(CallerAddress.plain))
    }

    // An account has limits of its own (OwnerLimits), wherever it sends its requests from.

    func composes(of request: Request, _ context: FrontendContext) -> CallerLimit? {
        context.isSenderKnown ? nil : limit(waitingComposes, request, context)
    }

    func watches(of request: Request, _ context: FrontendContext) -> CallerLimit? {
        context.isSenderKnown ? nil : limit(watches, request, context)
    }

    /// Returns the name of a sender: its account, or its address if it is not one account.
    func name(of request: Request, _ context: FrontendContext) -> String {
        if context.isSenderKnown, let sender = context.subject.sender { return "account \(sender.account.text)" }
        let address = context.peer?.ipAddress.flatMap {
            CallerAddress(peer: $0, headers: request.headers, trustedProxies: trustedProxies)
        }
        return address?.text ?? ""
    }

    private func limit(_ most: Int, _ request: Request, _ context: FrontendContext) -> CallerLimit? {
        guard most > 0, let peer = context.peer?.ipAddress,
            let caller = CallerAddress(peer: peer, headers: request.headers, trustedProxies: trustedProxies)
        else { return nil }
        return CallerLimit(caller: caller.text, most: most)
    }
}

extension RequestRejection {
    init(_ reached: CallerLimitReached) {
        let limit = reached.limit
        let counted = { (one: String, several: String) in limit.most == 1 ? "1 \(one)" : "\(limit.most) \(several)" }
        let message =
            switch reached.kind {
            case .waitingComposes:
                counted("compose that \(limit.caller) asked for waits", "composes that \(limit.caller) asked for wait")
                    + " already, and more are not taken from one address. Ask again when some of them have begun, or cancel those that you "
                    + "do not need."
            case .waitingRenewals(let compose):
                counted("renewal", "renewals")
                    + " of compose \(compose) that \(limit.caller) asked for wait already, and more are not taken from one address. Ask again "
                    + "when some of them have begun."
            case .recentRenewals(let compose):
                "Compose \(compose) was renewed \(limit.most) times within the last minute, and is not renewed more often. If a program does this, "
                    + "let it look why the compose fails."
            case .standingWatches:
                counted("watch that \(limit.caller) asked for stands", "watches that \(limit.caller) asked for stand")
                    + " already, and more are not taken from one address. End those that you do not need, or use one watch for several "
                    + "packages."
            }
        self.init(.tooManyRequests, RefusalReason(reached), message, headers: [.retryAfter: "60"])
    }
}

extension RefusalReason {
    fileprivate init(_ reached: CallerLimitReached) {
        self =
            switch reached.kind {
            case .waitingComposes, .waitingRenewals, .recentRenewals: .waitingComposes
            case .standingWatches: .watches
            }
    }

    fileprivate init(_ reached: OwnerLimitReached) {
        self =
            switch reached.kind {
            case .waitingComposes: .waitingComposes
            case .standingWatches: .watches
            case .buildSteps: .buildSteps
            case .buildMinutes: .buildMinutes
            case .bytes: .gigabytes
            }
    }
}

extension RequestRejection {
    init(_ reached: UploadLimitReached) {
        let limit = reached.limit
        guard let retryAfter = reached.retryAfter else {
            self.init(
                .contentTooLarge,
                "The archives that \(limit.sender) uploads within 24 hours may have \(limit.most / 1_000_000) MB, and this one is larger.")
            return
        }
        self.init(
            .tooManyRequests, .uploads,
            "The archives that \(limit.sender) uploads within 24 hours may have \(limit.most / 1_000_000) MB, and with this one they would "
                + "have more. Upload less, or ask again when the earlier ones are a day old.",
            headers: [.retryAfter: "\(retryAfter)"])
    }

    init(_ reached: OwnerLimitReached) {
        let owner = reached.owner
        let counted = { (one: String, several: String) in reached.most == 1 ? "1 \(one)" : "\(reached.most) \(several)" }
        let message =
            switch reached.kind {
            case .waitingComposes:
                counted("compose of \(owner) waits", "composes of \(owner) wait")
                    + " already, which is the limit. Ask again when some of them have begun, or cancel those that you do not need."
            case .standingWatches:
                counted("watch of \(owner) stands", "watches of \(owner) stand")
                    + " already, which is the limit. End those that you do not need, or use one watch for several packages."
            case .buildSteps:
                counted("step of image builds of \(owner) waits or is", "steps of image builds of \(owner) wait or are")
                    + " under way already, which is the limit. Ask again when some of them are done, or cancel builds that you do not need."
            case .buildMinutes:
                "The workers have spent \(counted("minute", "minutes")) on image builds of \(owner) within 24 hours, which is the limit. Ask "
                    + "again later."
            case .bytes(let largest):
                "The composes of \(owner) have reached the limit of \(reached.most / 1_000_000_000) GB. The largest are those with the ids "
                    + "\(largest.map(String.init).joined(separator: ", ")). Ask again when some of them have expired."
            }
        self.init(.tooManyRequests, RefusalReason(reached), message, headers: [.retryAfter: "\(reached.retryAfter)"])
    }
}
