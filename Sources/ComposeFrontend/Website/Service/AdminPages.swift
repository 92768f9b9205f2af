import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import Identity

/// The page for admins: receivers of events, workers, identity providers and the audit.
struct AdminPages: Sendable {
    private static let mostEntries = 50

    let pages: WebPages
    let store: ComposeStore
    let subscribers: SubscriberController

    var resources: [Resource] {
        [
            Resource("/admin", [.get: .personalPage(.admin, show)]),
            Resource("/admin/subscribers/{id}/pause", [.post: .form(.admin, pause)]),
            Resource("/admin/subscribers/{id}/resume", [.post: .form(.admin, resume)]),
            Resource("/admin/subscribers/{id}/replay", [.post: .form(.admin, replay)]),
        ]
    }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let site = pages.site(request, context)
        var audit = AuditQuery(most: Self.mostEntries)
        for (key, value) in try QueryItems(request.uri.query).items where !value.isEmpty {
            switch key {
            case "owner": audit.account = value
            case "outcome": audit.outcome = AuditEntry.Outcome(rawValue: value)
            case "before": audit.before = try QueryItems.number(value, key, from: 1)
            default: break
            }
        }
        let page = AdminPage(
            subscribers: try await store.subscribers(), workers: try await store.workers(), chain: pages.configuration.access.chain,
            audit: audit, entries: try await store.audit(audit), site)
        var response = pages.response("admin", title: "Administration", page: page, request, context, site: site)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func pause(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await subscribers.pause(request, context, grant)
        return pages.redirect(to: "/admin")
    }

    private func resume(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await subscribers.resume(request, context, grant)
        return pages.redirect(to: "/admin")
    }

    private func replay(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await store.replay(try await subscribers.subscriber(context).id, after: nil)
        return pages.redirect(to: "/admin")
    }
}

/// The state of the service, for an admin.
struct AdminPage: Sendable {
    struct Receiver: Sendable {
        let name, state, `class`: String
        let problem: String?
        let behind, letters: Int
        let lag: String
        let delivered: ShownTime?
        let pause, resume, replay: PageForm?

        fileprivate init(_ subscriber: Subscriber, _ site: Site) {
            name = subscriber.name.shown(200)
            (state, `class`) =
                subscriber.pausedAt != nil
                ? ("paused", "wait")
                : !subscriber.isServed ? ("not served", "removed") : subscriber.failures > 0 ? ("failing", "failed") : ("in order", "done")
            problem = subscriber.problem?.shown(400)
            behind = subscriber.behind
            letters = subscriber.deadLetters
            lag = ShownNumber.duration(Int(subscriber.lagSeconds))
            delivered = subscriber.deliveredAt.map(ShownTime.init)
            let path = "/admin/subscribers/\(subscriber.id)"
            pause = subscriber.pausedAt == nil ? site.form("\(path)/pause") : nil
            resume = subscriber.pausedAt == nil ? nil : site.form("\(path)/resume")
            replay = letters > 0 ? site.form("\(path)/replay") : nil
        }
    }

    struct Provider: Sendable {
        let name, state, `class`: String
        let failures: Int
    }

    struct Entry: Sendable {
        let time: ShownTime
        let account, action, object, outcome, address, `class`: String

        fileprivate init(_ record: AuditRecord) {
            time = ShownTime(record.time)
            account = (record.entry.sender.account ?? "").shown(200)
            action = record.entry.action.shown(200)
            object = (record.entry.object ?? "").shown(200)
            outcome = record.entry.outcome.rawValue
            address = (record.entry.sender.address ?? "").shown(80)
            `class` = record.entry.outcome == .done ? "done" : "failed"
        }
    }

    let subscribers: [Receiver]
    let workers: [ShownWorker]
    let providers: [Provider]
    let audit: [Entry]
    let hasSubscribers, hasWorkers, hasProviders, hasAudit: Bool
    let owner: String
    let outcomes: [Choice]
    let next: String?

    init(
        subscribers: [Subscriber], workers: [WorkerRecord], chain: IdentityChain?, audit query: AuditQuery, entries: [AuditRecord],
        _ site: Site
    ) {
        self.subscribers = subscribers.map { Receiver($0, site) }
        self.workers = workers.map(ShownWorker.init)
        providers = (chain?.providers ?? []).map { provider in
            let count = chain?.failures[provider.name] ?? .init()
            return Provider(
                name: provider.name, state: count.isUp ? "answers" : "cannot be asked", class: count.isUp ? "done" : "failed",
                failures: count.failures.values.reduce(0, +))
        }
        audit = entries.map(Entry.init)
        (hasSubscribers, hasWorkers) = (!subscribers.isEmpty, !workers.isEmpty)
        (hasProviders, hasAudit) = (!providers.isEmpty, !entries.isEmpty)
        owner = (query.account ?? "").shown(200)
        let chosen = query.outcome?.rawValue
        outcomes = Choice.of(["done", "refused", "failed"].map { ($0, $0) }, chosen: chosen)
        let kept = (query.account.map { "owner=\($0.percentEncoded)&" } ?? "") + (chosen.map { "outcome=\($0)&" } ?? "")
        next = entries.count == query.most ? entries.last.map { "\(site.root)/admin?\(kept)before=\($0.id)#audit" } : nil
    }
}
