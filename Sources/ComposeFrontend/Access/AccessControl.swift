import ForeignText
import HTTPTypes
import Hummingbird
public import Identity

/// An access control decides who sends a request, and which permissions the sender has.
public struct AccessControl: Sendable {
    /// The providers that recognize senders. `nil` if the service asks for no credentials. Every sender is
    /// then called `unknown`, and may do everything.
    public var chain: IdentityChain?
    public var rules: AccessRules
    /// Addresses of proxies whose `X-Forwarded-For` names the sender's address.
    var trustedProxies: Set<String> = []
    private let rates = RequestRates()
    /// Recognizes people by the sessions of their browsers. `nil` if pages have no sessions.
    var browser: BrowserAccess?
    /// The proxy whose headers name senders. `nil` if there is none.
    public var proxy: TrustedProxy?
    /// The readers of private target directories, by the names of the directories.
    public var privateTargets: [String: Members]

    public init(
        chain: IdentityChain? = nil, rules: AccessRules = AccessRules(), proxy: TrustedProxy? = nil, privateTargets: [String: Members] = [:]
    ) {
        self.chain = chain
        self.rules = rules
        self.proxy = proxy
        self.privateTargets = privateTargets
    }

    /// The name that `about` shows as `auth_backend`. Examples: `noauth`, `tokens, openid.sso`.
    public var backend: String { chain?.names ?? "noauth" }

    private static let unknown = Identity(account: .unknown, provider: "noauth")

    /// Returns the sender of a request. Returns `nil` if it has no credentials.
    ///
    /// - Throws: ``RequestRejection`` if its credentials are wrong.
    func sender(of request: Request, _ context: FrontendContext) async throws(RequestRejection) -> Identity? {
        guard let chain else { return Self.unknown }
        let peer = context.peer?.ipAddress
        let address = peer.flatMap {
            CallerAddress(peer: $0, headers: request.headers, trustedProxies: trustedProxies)?.text
        }
        let credentials: Credentials
        do throws(CredentialFailure) {
            credentials = Credentials(
                authorization: try CredentialReader(headers: request.headers).authorization(), certificate: context.certificate,
                proxyHeaders: try proxy?.headers(of: request.headers, from: peer) ?? [:], address: address)
        } catch {
            throw chain.rejection(error)
        }
        guard !credentials.isEmpty else { return nil }
        if let address { try rates.checkFailures(of: address) }
        do throws(RequestRejection) {
            let sender = try await chain.identity(credentials)
            if let sender, let most = requestsPerMinute(of: sender) {
                // The log, the audit and the metrics show the sender of a request that is one too many.
                context.subject.sender = sender
                try rates.take(sender.account.text, perMinute: most)
            }
            return sender
        } catch {
            if error.status == .unauthorized, let address { rates.recordFailure(of: address) }
            throw error
        }
    }

    /// Returns the sender of a request for a page: by its credentials, or else by the session of the
    /// browser.
    ///
    /// - Throws: ``RequestRejection`` if its credentials are wrong.
    func visitor(_ request: Request, _ context: FrontendContext) async throws -> Identity? {
        if let sender = try await sender(of: request, context) { return sender }
        guard chain != nil, let visitor = try await browser?.visitor(request, context) else { return nil }
        if let most = requestsPerMinute(of: visitor) {
            context.subject.sender = visitor
            try rates.take(visitor.account.text, perMinute: most)
        }
        return visitor
    }

    /// The cookies of the pages.
    var cookies: BrowserCookies { browser?.cookies ?? BrowserCookies(serverURL: "") }

    /// Returns the address of the login that leads back to the page of a request. `nil` if people
    /// cannot log in.
    func loginAddress(for request: Request) -> String? {
        guard let browser, browser.canLogIn else { return nil }
        let page = request.uri.path + (request.uri.query.map { "?\($0)" } ?? "")
        return "\(browser.root)/login?return_to=\(page.percentEncoded)"
    }

    /// The requests that an account may send in a minute, or `nil` for any number. If several rules name
    /// it, the most generous one counts.
    private func requestsPerMinute(of sender: Identity) -> Int? {
        guard rules.limitRequests, !rules.isAdmin(sender) else { return nil }
        return rules.rules(of: sender).most(\.limits.requestsPerMinute)
    }

    /// Returns the grant of a sender.
    ///
    /// - Throws: ``RequestRejection`` with status 401 if there is no sender, and with 403 if it lacks the
    ///   permission.
    func grant(_ permission: Permission, to sender: Identity?) throws(RequestRejection) -> Grant {
        guard let chain else { return Grant(identity: sender ?? Self.unknown, isAdmin: true, rules: nil) }
        guard let sender else {
            throw chain.unauthorized(
                .noCredentials, "This needs credentials, and the request has none. The service takes those of: \(chain.names).")
        }
        let isAdmin = rules.isAdmin(sender)
        let grant = Grant(identity: sender, isAdmin: isAdmin, rules: isAdmin ? nil : rules.rules(of: sender))
        if let scope = permission.scope { try grant.require(scope) }
        switch permission {
        case .known: break
        case .admin:
            guard isAdmin else { throw RequestRejection(.forbidden, .admin, "\(grant.owner) is not one of the admins of this service.") }
        case .manageNodes:
            guard managesNodes(sender) else {
                throw RequestRejection(
                    .forbidden, .admin, "Only admins of this service may change nodes and farms. \(grant.owner) is none.")
            }
        case .client, .createCompose, .renewCompose, .deleteCompose, .buildImage, .rebuild: try checkClient(grant)
        case .person:
            try checkClient(grant)
            guard sender.token == nil, sender.workload == nil else {
                throw RequestRejection(
                    .forbidden, .token, "This needs the credentials of a person. An API token or a workload cannot do it.")
            }
        }
        return grant
    }

    /// Returns the grant of a sender, or `nil` if the sender lacks the permission. Pages leave out actions
    /// that the person may not take.
    func possibleGrant(_ permission: Permission, to sender: Identity?) -> Grant? {
        do throws(RequestRejection) { return try grant(permission, to: sender) } catch { return nil }
    }

    /// Whether a sender may change nodes and farms, and see their addresses.
    func managesNodes(_ sender: Identity?) -> Bool {
        guard chain != nil else { return true }
        guard let sender else { return false }
        return rules.isAdmin(sender) || rules.managesNodes(sender)
    }

    private func checkClient(_ grant: Grant) throws(RequestRejection) {
        guard let rules = grant.rules, rules.isEmpty else { return }
        if let rule = grant.identity.rule {
            throw RequestRejection(
                .forbidden, .noRule,
                "The token is limited to the rule \(rule), and access.clients has no such rule that names \(grant.owner).")
        }
        let place = grant.identity.workload.map { "the workload \($0)" } ?? "\(grant.owner) or one of its groups"
        throw RequestRejection(
            .forbidden, .noRule, "No rule of access.clients names \(place). The operator of this service can add one.")
    }

    // MARK: Private targets

    /// Returns the target directories whose composes a sender may not see.
    func hiddenTargets(from sender: Identity?) -> Set<String> {
        Set(privateTargets.keys.filter { !isReader(sender, of: $0) })
    }

    /// Whether a sender may see the composes of a target directory: it is one of the readers, or a rule
    /// names it and lets it put composes there. A rule that allows every directory does not count.
    private func isReader(_ sender: Identity?, of target: String) -> Bool {
        guard chain != nil, let readers = privateTargets[target] else { return true }
        guard let sender else { return false }
        return readers.contain(sender) || rules.isAdmin(sender)
            || rules.rules(of: sender).contains { !$0.targetDirs.allowsEverything && $0.targetDirs.allow(target) }
    }

    /// Throws ``RequestRejection`` with status 401 or 403 if a sender may not see the composes of a target
    /// directory.
    func checkReading(of target: String, by sender: Identity?) throws(RequestRejection) {
        guard let chain, !isReader(sender, of: target) else { return }
        guard let sender else {
            throw chain.unauthorized(
                .noCredentials,
                "The composes of the target directory \(target) are for its readers, and the request has no credentials. The service takes "
                    + "those of: \(chain.names).")
        }
        throw RequestRejection(
            .forbidden, .target,
            "\(sender.account) may not see the composes of the target directory \(target). Its readers are in composes.targets.\(target).readers."
        )
    }
}
