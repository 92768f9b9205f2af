import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity
import Logging
import NIOCore
import NIOPosix

/// The handlers of `/api/1/composes`: list, show, create, renew and delete composes.
struct ComposeController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore
    let validator: RequestValidator
    let positions: QueuePositions
    let answers: KeptAnswers
    let feed: EventFeed
    let questions: QuestionDesk
    let lists: PackageLists

    var resources: [Resource] {
        [
            Resource(
                "/api/1/composes",
                [.get: .open { try await list($0, $1, path: "/api/1/composes/") }, .post: .needs(.createCompose, create)]),
            Resource(
                "/api/1/composes/{id}",
                [.get: .open(show), .patch: .needs(.renewCompose, renew), .delete: .needs(.deleteCompose, delete)]),
        ]
    }

    func list(_ request: Request, _ context: FrontendContext, path: String) async throws -> Response {
        let base = PublicURLs(configuration, request).base
        let hidden = configuration.access.hiddenTargets(from: context.subject.sender)
        // A list without some composes is that of one reader, so it is not kept.
        guard hidden.isEmpty else { return .json(try await page(request, base: base, path: path, hiding: hidden)) }
        let subject = KeptAnswers.Subject.list(ByteText("\(path)?\(request.uri.query ?? "")"))
        let answer = try await answers.answer(about: subject, base: base) {
            KeptAnswers.Answer(body: try await page(request, base: base, path: path, hiding: []))
        }
        return .json(answer.body)
    }

    /// Makes the answer with a page of the list.
    private func page(_ request: Request, base: String, path: String, hiding hidden: Set<String>) async throws -> ByteBuffer {
        let query = try ListQuery(request.uri.query, perPage: configuration.perPage)
        var composes = query.composes
        composes.hiddenTargets = hidden.sorted()
        let page = try await store.list(composes)
        let urls = PublicURLs(configuration, request)
        let document = ListDocument(
            page.items.map(urls.document), page: query.composes.page, perPage: query.composes.perPage, total: page.total,
            asked: query.items, url: base + path)
        return ByteBuffer(json: { json in document.write(to: &json) { $1.write(to: &$0) } })
    }

    func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        try await waitIfAsked(id, request, context, feed: feed)
        let urls = PublicURLs(configuration, request)
        let answer = try await answers.answer(about: .compose(id), base: urls.base) { try await made(of: id, urls) }
        if let target = answer.targetDir { try configuration.access.checkReading(of: target, by: context.subject.sender) }
        return .json(answer.body)
    }

    /// Makes the answer about a compose.
    private func made(of id: Int, _ urls: PublicURLs) async throws -> KeptAnswers.Answer {
        guard let compose = try await store.compose(id) else { throw RequestRejection.noSuchCompose("\(id)") }
        var document = urls.document(compose)
        var end: ContinuousClock.Instant?
        if compose.state == .wait {
            let found = try await positions.position(of: id)
            document.queue = found.map { position, _ in
                QueueDocument(ahead: position.ahead, reason: position.reason, estimateSeconds: position.estimateSeconds)
            }
            // A position depends on other composes, so the answer holds as long as the position does.
            end = found?.end ?? .now
        }
        // This service runs Pungi elsewhere, so it has no Pungi configuration to show.
        let body = ByteBuffer(json: { document.writeDetail(to: &$0, valueless: ["pungi_config_dump"]) })
        return KeptAnswers.Answer(body: body, targetDir: compose.request.targetDir, result: compose.resultOf, end: end)
    }

    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        guard let json = try await request.json(limit: configuration.bodyLimit) else {
            throw RequestRejection.badRequest(
                "The body is empty; it must be a JSON object such as {\"source\": {\"type\": \"repo\", \"source\": \"https://…\"}}.")
        }
        let isDryRun = try Self.isDryRun(request)
        if let lock = try BodyField(root: json).object("source")?.member("lock") {
            guard !isDryRun else {
                throw RequestRejection.badRequest("A dry run of source.lock is not possible. The lock file lists the packages.")
            }
            return try await create(from: lock, json, by: grant, request, context)
        }
        let compose = try validator.request(ComposeRequestBody(json))
        if isDryRun { return try await dryRun(compose, by: grant, request, context) }
        return try await submit(compose, by: grant, request, context)
    }

    /// Makes a compose again from a lock file. The body has the file, or the number of a compose of this
    /// server whose file it is.
    private func create(
        from field: BodyField, _ json: JSONValue, by grant: Grant, _ request: Request, _ context: FrontendContext
    ) async throws -> Response {
        let locked: LockedSubmission
        switch field.value {
        case .object: locked = try LockedSubmission(field.value)
        case .integer(let id):
            let list = try await lists.list(of: try await self.compose(id, for: grant.identity))
            locked = try await NIOThreadPool.singleton.runIfActive { try LockedSubmission(list, of: id) }
        default: throw field.mustBe("a lock file, or the number of a compose")
        }
        let body = try locked.body(besides: BodyField(root: json))
        var compose = try validator.request(ComposeRequestBody(body))
        try locked.check(compose)
        if grant.rules != nil, locked.pins.koji?.modules != nil {
            throw RequestRejection(
                .forbidden, .rule, "Not allowed: the lock file has modules of Koji, and your access is limited by rules.")
        }
        compose.lock = locked.packages.digest
        return try await submit(compose, at: locked.pins, lock: locked.packages, by: grant, request, context)
    }

    private static func isDryRun(_ request: Request) throws(RequestRejection) -> Bool {
        guard let value = try QueryItems(request.uri.query).items.last(where: { $0.key == "dry_run" })?.value else { return false }
        switch value {
        case "1", "true": return true
        case "0", "false": return false
        default: throw .badRequest("dry_run must be 1 or 0, not \(value.quoted).")
        }
    }

    /// Answers what a compose would have, without making one. A worker finds it out.
    private func dryRun(
        _ compose: ComposeRequest, by grant: Grant, _ request: Request, _ context: FrontendContext
    ) async throws -> Response {
        var compose = compose
        try grant.admit(&compose)
        guard compose.sourceType.traits.writesOwnTree else {
            throw RequestRejection.badRequest(
                "A dry run is not possible for the source type \(compose.sourceType.name), because ODCS does not choose its packages.")
        }
        return .json(ByteBuffer(string: try await answer(to: .dryRun, of: compose, request, context)))
    }

    /// Asks a worker, and returns its answer, which is JSON.
    ///
    /// - Throws: ``RequestRejection`` if the caller has too many questions, or if no worker answers in
    ///   time.
    func answer(
        to subject: Question.Subject, of compose: ComposeRequest, _ request: Request, _ context: FrontendContext
    ) async throws -> String {
        guard let place = feed.place(for: configuration.callers.name(of: request, context)) else {
            throw RequestRejection(
                .tooManyRequests, .eventStreams, "Too many requests of yours wait already. Try again when one of them has ended.",
                headers: [.retryAfter: "5"])
        }
        defer { withExtendedLifetime(place) {} }
        switch try await questions.answer(to: subject, of: compose) {
        case .answered(let answer): return answer
        case .untaken:
            throw RequestRejection(
                .serviceUnavailable,
                "No worker has begun to answer in time. Either none runs that can make such a compose, or all are busy with other questions. "
                    + "Try again later.", headers: [.retryAfter: "30"])
        case .unfinished:
            throw RequestRejection(
                .serviceUnavailable, "A worker still reads the metadata of the source, and goes on. Try again in a moment.",
                headers: [.retryAfter: "15"])
        }
    }

    /// Returns a compose that its reader may see.
    func compose(_ id: Int, for reader: Identity?) async throws -> Compose {
        guard let compose = try await store.compose(id) else { throw RequestRejection.noSuchCompose("\(id)") }
        try configuration.access.checkReading(of: compose.request.targetDir, by: reader)
        return compose
    }

    /// - Parameters:
    ///   - pins: The pins that the compose has from the start. `nil` if a worker pins its sources.
    ///   - lock: The packages of its lock file. `nil` if it has none.
    func submit(
        _ compose: ComposeRequest, at pins: ComposePins? = nil, lock: PackageLock? = nil, by grant: Grant, _ request: Request,
        _ context: FrontendContext
    ) async throws -> Response {
        var compose = compose
        try grant.admit(&compose)
        let resubmission = try resubmission(request, grant)
        // A repetition stores nothing, so the compose has no entry for it.
        let audit = resubmission == nil ? context.auditEntry(of: request) : nil
        let stored = try await store.submit(
            compose, owner: grant.owner, pins: pins, lock: lock, limit: configuration.callers.composes(of: request, context),
            limits: grant.limits, audit: audit, unless: resubmission)
        context.subject.composeID = stored.id
        context.subject.isAudited = audit != nil
        return .json { PublicURLs(configuration, request).document(stored).write(to: &$0) }
    }

    /// Returns how a repetition of the request is recognized, or `nil` if it is a new request in any case.
    /// The `Idempotency-Key` header comes first. Without it, a second POST of the same client for the same
    /// compose is a repetition, if the configuration sets a time for this.
    private func resubmission(_ request: Request, _ grant: Grant) throws(RequestRejection) -> Resubmission? {
        if let key = try IdempotencyKey(request.headers) { return .key(key.text) }
        guard request.method == .post, grant.isKnown, let seconds = configuration.limits.repeatWindow else { return nil }
        return .sameRequest(within: .seconds(seconds))
    }

    func renew(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let id = try context.composeID()
        let json = try await request.json(limit: configuration.bodyLimit) ?? .object([:])
        return try await renew(id, try validator.renewal(RenewalBody(json)), by: grant, request, context)
    }

    func renew(
        _ id: Int, _ renewal: Renewal, by grant: Grant, _ request: Request, _ context: FrontendContext
    ) async throws -> Response {
        var renewal = renewal
        if grant.rules != nil {
            // The rules must allow all inputs of the new compose, also those that it takes over.
            var renewed = renewal.applied(to: try await compose(id, for: grant.identity).request)
            try grant.admit(&renewed)
            renewal.secondsToLive = renewed.secondsToLive
        }
        let outcome = try await store.renew(
            id, renewal, owner: grant.owner, limit: configuration.callers.composes(of: request, context), limits: grant.limits,
            unless: try resubmission(request, grant))
        switch outcome {
        case nil:
            throw RequestRejection.noSuchCompose("\(id)")
        case .underWay(let state):
            throw RequestRejection(
                .notFound, "There is nothing to renew yet: compose \(id) is in state \(state.name); it must be done, failed or removed.")
        case .extended(let compose), .created(let compose):
            context.subject.composeID = compose.id
            return .json { PublicURLs(configuration, request).document(compose).write(to: &$0) }
        }
    }

    func delete(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let id = try context.composeID()
        if !configuration.access.hiddenTargets(from: grant.identity).isEmpty { _ = try await compose(id, for: grant.identity) }
        switch try await store.delete(id, by: Actor(grant)) {
        case nil:
            throw RequestRejection.noSuchCompose("\(id)")
        case .canceled:
            return try .json(Acknowledgement(message: "Compose \(id) has been canceled."), status: .accepted)
        case .expired:
            return try .json(Acknowledgement(message: "Compose \(id) has expired; its files will be removed soon."), status: .accepted)
        case .notAllowed(let reason):
            throw RequestRejection(.forbidden, .owner, "Not allowed: \(reason).")
        case .inUse(let builds):
            let names = builds.map { "build \($0)" }.joined(separator: ", ")
            throw RequestRejection.badRequest(
                "Compose \(id) is in use by \(names). Wait until it has ended, or cancel it, and delete the compose then.")
        case .notPossible(let state):
            throw RequestRejection.badRequest(
                "Compose \(id) is in state \(state.name) already; one that is wait, generating, done or failed can be deleted.")
        }
    }
}
