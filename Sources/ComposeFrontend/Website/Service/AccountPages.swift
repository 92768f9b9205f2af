import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity

/// The page of the person who looks: the account, its rights and limits, its tokens and its composes.
struct AccountPages: Sendable {
    private static let mostComposes = 10

    let pages: WebPages
    let store: ComposeStore

    var resources: [Resource] { [Resource("/me", [.get: .personalPage(.known, show)])] }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let site = pages.site(request, context)
        var query = ComposeQuery()
        query.owners = [grant.owner]
        query.perPage = Self.mostComposes
        query.hiddenTargets = pages.configuration.access.hiddenTargets(from: grant.identity).sorted()
        let composes = try await store.list(query).items
        var tokens: TokensPage?
        if let service = pages.configuration.tokens, grant.isKnown {
            let list = try await store.tokens(owner: grant.identity.account).map { TokenDocument($0) }
            tokens = TokensPage(list, site, create: nil, isAdmin: grant.isAdmin, mostDays: service.mostDays, issued: nil)
        }
        let usage = grant.isKnown ? try await store.usage(of: grant.owner) : nil
        let uploaded = try await store.uploadedBytes(by: pages.configuration.callers.name(of: request, context))
        let page = AccountPage(grant, usage, uploaded: uploaded, tokens: tokens, composes: composes, root: site.root)
        var response = pages.response("me", title: "You are \(page.account)", page: page, request, context, site: site)
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

/// The account of a person, with its rights.
struct AccountPage: Sendable {
    /// A limit, and the amount of it that the person has now.
    struct Limit: Sendable {
        let name, used, most: String

        init(_ name: String, _ used: Int, _ most: Int?) {
            self.init(name, "\(used)", most.map { "\($0)" })
        }

        init(_ name: String, _ used: String, _ most: String?) {
            self.name = name
            self.used = used
            self.most = most ?? "no limit"
        }
    }

    let account: String
    let note: String?
    let facts: [Fact]
    let limits: [Limit]
    let hasLimits: Bool
    let tokens: TokensPage?
    let composes: ComposeList?
    let allComposes, allWatches: String

    /// - Parameters:
    ///   - usage: `nil` if the account is not one person or program.
    ///   - uploaded: The bytes that the account has uploaded within 24 hours.
    init(_ grant: Grant, _ usage: OwnerUsage?, uploaded: Int, tokens: TokensPage?, composes: [Compose], root: String) {
        account = grant.owner.shown(200)
        note = Self.note(on: grant)
        facts = Self.facts(grant)
        limits = usage.map { Self.limits(grant, $0, uploaded: uploaded) } ?? []
        hasLimits = !limits.isEmpty
        self.tokens = tokens
        self.composes = ComposeList("The newest first", composes.map { .init($0) })
        let owner = "owner=\(grant.owner.percentEncoded)"
        allComposes = "\(root)/compose?\(owner)"
        allWatches = "\(root)/watches?\(owner)"
    }

    private static func note(on grant: Grant) -> String? {
        if !grant.isKnown { return "This service asks for no credentials. Everybody has this name, and may do everything." }
        if grant.isAdmin { return "You are an admin. No rule limits you." }
        guard grant.rules?.isEmpty == true else { return nil }
        return "No rule of access.clients names you, so you can only read. The operator of this service can add one."
    }

    private static func facts(_ grant: Grant) -> [Fact] {
        let identity = grant.identity
        return [
            grant.isKnown ? Fact("Known by", identity.provider.shown(100)) : nil, Fact("Groups", words: identity.groups.sorted()),
            identity.scopes.flatMap { Fact("Scopes", words: $0.map(\.rawValue).sorted()) },
            Fact("Rules", words: (grant.rules ?? []).map(\.name)),
        ].compactMap(\.self)
    }

    private static func limits(_ grant: Grant, _ usage: OwnerUsage, uploaded: Int) -> [Limit] {
        let most = grant.limits ?? OwnerLimits()
        return [
            Limit("Composes that wait", usage.waiting, most.waiting), Limit("Composes in progress", usage.underWay, most.underWay),
            Limit("Size of the results of your composes", ShownNumber.size(usage.bytes), most.bytes.map(ShownNumber.size)),
            Limit("Watches", usage.watches, most.watches), Limit("Steps of image builds", usage.buildSteps, most.buildSteps),
            Limit("Minutes of image builds within a day", usage.buildMinutes, most.buildMinutes),
            Limit("Uploads within a day", ShownNumber.size(uploaded), grant.mostUploadedBytes.map(ShownNumber.size)),
        ]
    }
}
