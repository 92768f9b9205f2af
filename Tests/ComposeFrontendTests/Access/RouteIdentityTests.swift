import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import ImageModel
import Logging
import Testing

@testable import ComposeFrontend

/// Every route with every kind of sender. A route without a row fails the test, so a new route needs one.
@Suite struct RouteIdentityTests {
    /// A kind of sender. The order is that of the columns.
    enum Sender: String, CaseIterable {
        case anonymous, bad, known, client, limited, owner, other, token, workload, admin
        /// A sender of a service that asks for no credentials.
        case unknown
    }

    /// A row of the table: a route, the object that its requests are about, and the statuses of its answers.
    struct Row: Sendable {
        let body: String?
        let object: Object?
        let statuses: [Int]

        init(_ statuses: String, _ object: Object? = nil, body: String? = nil) {
            self.statuses = statuses.split(separator: " ").compactMap { Int($0) }
            self.object = object
            self.body = body
        }
    }

    /// An object whose owner is ``Sender/owner``, or the workload if that one asks.
    enum Object: Sendable {
        case compose, doneCompose, secretCompose, watch, image, build, rebuild, rule, newImage, fixedBy, file, token, node, farm, subscriber
    }

    private static let read = "200 401 200 200 200 200 200 200 200 200 200"
    /// For the readers of the private target directory.
    private static let readSecret = "401 401 403 200 403 200 403 200 200 200 200"
    private static let compose = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
    private static let definition = #"{"source": {"containerfile": "FROM scratch"}, "platforms": ["linux/amd64"]}"#

    private static let artifact = #"{"dockerfile": "FROM scratch", "component": "mps", "branch": "main", "architecture": "rocky9"}"#

    static let rows: [String: Row] = [
        //                 anon bad known client limited owner other token workload admin unknown
        "GET /": Row(read),
        "GET /queue": Row(read),
        "GET /compose": Row(read),
        "GET /compose/{id}": Row(read, .doneCompose),
        // The compose has no packages and no log.
        "GET /compose/{id}/packages": Row("404 401 404 404 404 404 404 404 404 404 404", .doneCompose),
        "GET /compose/{id}/why": Row("400 401 400 400 400 400 400 400 400 400 400", .doneCompose),
        "GET /compose/{id}/log": Row("404 401 404 404 404 404 404 404 404 404 404", .doneCompose),
        // The compose has ended, so the stream ends at once.
        "GET /compose/{id}/events": Row(readSecret, .secretCompose),
        "GET /compose/{id}/files": Row(readSecret, .secretCompose),
        "GET /compose/{id}/files/**": Row(readSecret, .secretCompose),
        "GET /compose/{id}/again": Row("401 401 403 200 200 200 200 200 200 200 200", .doneCompose),
        "POST /compose/{id}/again": Row("401 401 403 303 403 303 303 303 303 303 303", .doneCompose),
        "GET /events": Row(read),
        "GET /me": Row("401 401 200 200 200 200 200 200 200 200 200"),
        "POST /compose/{id}/renew": Row("401 401 403 303 403 303 303 403 303 303 303", .doneCompose),
        "POST /compose/{id}/delete": Row("401 401 403 403 403 303 403 403 303 303 303", .compose),
        "GET /search": Row("303 401 303 303 303 303 303 303 303 303 303"),
        "GET /diff": Row(read),
        "GET /watches": Row(read),
        "GET /watches/{id}": Row(read, .watch),
        "POST /watches/{id}/end": Row("401 401 403 403 403 303 403 403 303 303 303", .watch),
        "GET /images": Row(read),
        "GET /images/{id}": Row(read, .image),
        "GET /builds": Row(read),
        "GET /builds/{id}": Row(read, .build),
        // The build has no log yet.
        "GET /builds/{id}/log": Row("404 401 404 404 404 404 404 404 404 404 404", .build),
        "POST /builds/{id}/cancel": Row("401 401 403 403 403 303 403 403 303 303 303", .build),
        "GET /rebuilds": Row(read),
        "GET /rebuilds/{id}": Row(read, .rebuild),
        "POST /rebuilds/{id}/cancel": Row("401 401 403 403 403 303 403 403 303 303 303", .rebuild),
        "GET /tokens": Row("401 401 403 200 200 200 200 403 403 200 404"),
        "POST /tokens": Row("401 401 403 200 200 200 200 403 403 200 404", body: "note=x&scopes=new-compose"),
        "POST /tokens/{id}/rotate": Row("401 401 403 404 404 200 404 403 403 200 404", .token),
        "POST /tokens/{id}/revoke": Row("401 401 403 404 404 303 404 403 403 303 404", .token),
        "GET /admin": Row("401 401 403 403 403 403 403 403 403 200 200"),
        "POST /admin/subscribers/{id}/pause": Row("401 401 403 403 403 403 403 403 403 303 303", .subscriber),
        "POST /admin/subscribers/{id}/resume": Row("401 401 403 403 403 403 403 403 403 303 303", .subscriber),
        "POST /admin/subscribers/{id}/replay": Row("401 401 403 403 403 403 403 403 403 303 303", .subscriber),
        // Nobody can log in to this service.
        "GET /login": Row("404 404 404 404 404 404 404 404 404 404 404"),
        "GET /login/return": Row("404 404 404 404 404 404 404 404 404 404 404"),
        "POST /logout": Row("401 401 303 303 303 303 303 303 303 303 303"),
        // An old name of the style, which a page that was open for long asks for.
        "GET /static/{name}": Row("404 404 404 404 404 404 404 404 404 404 404"),
        "GET /api/1": Row(read),
        "GET /api/1/about": Row(read),
        "GET /api/1/metrics": Row("200 200 200 200 200 200 200 200 200 200 200"),
        "GET /healthz": Row("200 200 200 200 200 200 200 200 200 200 200"),
        "GET /readyz": Row("200 200 200 200 200 200 200 200 200 200 200"),
        "GET /api/1/me": Row("401 401 200 200 200 200 200 200 200 200 200"),
        "GET /api/1/composes": Row(read),
        "POST /api/1/composes": Row("401 401 403 200 403 200 200 200 200 200 200", body: compose),
        "GET /api/1/composes/{id}": Row(read, .compose),
        "PATCH /api/1/composes/{id}": Row("401 401 403 200 403 200 200 403 200 200 200", .doneCompose, body: "{}"),
        "DELETE /api/1/composes/{id}": Row("401 401 403 403 403 202 403 403 202 202 202", .compose),
        "GET /api/1/watches": Row(read),
        "POST /api/1/watches": Row(
            "401 401 403 200 403 200 200 200 200 200 200", body: #"{"source": {"type": "tag", "source": "f26", "packages": ["ed"]}}"#),
        "GET /api/1/watches/{id}": Row(read, .watch),
        "DELETE /api/1/watches/{id}": Row("401 401 403 403 403 200 403 403 200 200 200", .watch),
        "GET /odcs/1/composes": Row(read),
        "POST /odcs/1/composes": Row(
            "401 401 403 200 403 200 200 200 200 200 200", body: #"{"source_type": "repo", "source": "/srv/repo"}"#),
        "GET /odcs/1/composes/{id}": Row(read, .compose),
        "PATCH /odcs/1/composes/{id}": Row("401 401 403 200 403 200 200 403 200 200 200", .doneCompose, body: "{}"),
        "DELETE /odcs/1/composes/{id}": Row("401 401 403 403 403 202 403 403 202 202 202", .compose),
        "GET /api/1/images": Row(read),
        "POST /api/1/images": Row("401 401 403 200 403 200 200 403 200 200 200", .newImage),
        "GET /api/1/images/{id}": Row(read, .image),
        "PATCH /api/1/images/{id}": Row(
            "401 401 403 403 403 200 403 403 200 200 200", .image, body: #"{"definition": {"update": true}}"#),
        "DELETE /api/1/images/{id}": Row("401 401 403 403 403 200 403 403 200 200 200", .image),
        "GET /api/1/images/{id}/contents": Row(read, .image),
        // The query has no build to compare with.
        "GET /api/1/images/{id}/diff": Row("400 401 400 400 400 400 400 400 400 400 400", .image),
        // The query names no package.
        "GET /api/1/images/{id}/why": Row("400 401 400 400 400 400 400 400 400 400 400", .image),
        "POST /api/1/images/{id}/builds": Row("401 401 403 200 403 200 200 403 200 200 200", .image, body: "{}"),
        "GET /api/1/builds": Row(read),
        "GET /api/1/builds/{id}": Row(read, .build),
        "DELETE /api/1/builds/{id}": Row("401 401 403 403 403 202 403 403 202 202 202", .build),
        // The build has no log yet.
        "GET /api/1/builds/{id}/log": Row("404 401 404 404 404 404 404 404 404 404 404", .build),
        "GET /api/1/rebuilds": Row(read),
        "POST /api/1/rebuilds": Row("401 401 403 200 403 200 200 403 200 200 200", .fixedBy),
        "GET /api/1/rebuilds/{id}": Row(read, .rebuild),
        "DELETE /api/1/rebuilds/{id}": Row("401 401 403 403 403 202 403 403 202 202 202", .rebuild),
        "GET /api/1/rules": Row(read),
        "POST /api/1/rules": Row("401 401 403 200 403 200 200 403 200 200 200", body: #"{"base": true, "images": ["team/*"]}"#),
        "GET /api/1/rules/{id}": Row(read, .rule),
        "DELETE /api/1/rules/{id}": Row("401 401 403 403 403 200 403 403 200 200 200", .rule),
        "GET /api/1/nodes": Row(read),
        "POST /api/1/nodes": Row(
            "401 401 403 403 403 403 403 403 403 201 201", body: #"{"name": "n1", "connection": "unix:///run/n1.sock"}"#),
        "GET /api/1/nodes/{id}": Row(read, .node),
        "PATCH /api/1/nodes/{id}": Row("401 401 403 403 403 403 403 403 403 200 200", .node, body: #"{"slots": 2}"#),
        "DELETE /api/1/nodes/{id}": Row("401 401 403 403 403 403 403 403 403 202 202", .node),
        "POST /api/1/nodes/{id}/probe": Row("401 401 403 403 403 403 403 403 403 202 202", .node),
        "POST /api/1/nodes/{id}/prune": Row("401 401 403 403 403 403 403 403 403 202 202", .node),
        "GET /api/1/farms": Row(read),
        "POST /api/1/farms": Row("401 401 403 403 403 403 403 403 403 201 201", body: #"{"name": "f1", "nodes": ["local"]}"#),
        "GET /api/1/farms/{id}": Row(read, .farm),
        "PATCH /api/1/farms/{id}": Row("401 401 403 403 403 403 403 403 403 200 200", .farm, body: #"{"add": ["local"]}"#),
        "DELETE /api/1/farms/{id}": Row("401 401 403 403 403 403 403 403 403 202 202", .farm),
        "GET /api/1/schedule": Row(read),
        // The body is empty.
        "POST /api/1/contexts": Row("401 401 403 400 403 400 400 403 400 400 400"),
        "POST /image": Row("401 401 403 202 403 202 202 403 202 202 202", body: artifact),
        // The query names no artifact.
        "GET /image": Row("400 401 400 400 400 400 400 400 400 400 400"),
        "GET /component": Row("400 401 400 400 400 400 400 400 400 400 400"),
        // The body is empty.
        "POST /component": Row("401 401 403 400 403 400 400 403 400 400 400"),
        "PUT /component": Row("401 401 403 400 403 400 400 403 400 400 400"),
        "GET /api/1/tokens": Row("401 401 403 200 200 200 200 403 403 200 404"),
        "POST /api/1/tokens": Row("401 401 403 201 201 201 201 403 403 201 404", body: #"{"note": "x", "scopes": ["new-compose"]}"#),
        "GET /api/1/tokens/{id}": Row("401 401 403 404 404 200 404 403 403 200 404", .token),
        "DELETE /api/1/tokens/{id}": Row("401 401 403 404 404 200 404 403 403 200 404", .token),
        // The token that asks is another one.
        "POST /api/1/tokens/{id}/rotate": Row("401 401 403 404 404 200 404 403 403 200 404", .token),
        "GET /api/1/audit": Row("401 401 403 403 403 403 403 403 403 200 200"),
        "GET /api/1/events": Row(read),
        // The stream of a compose that has ended ends at once.
        "GET /api/1/composes/{id}/events": Row(read, .doneCompose),
        // The queries name no package and no composes.
        "GET /api/1/composes/{id}/why": Row("400 401 400 400 400 400 400 400 400 400 400", .doneCompose),
        "GET /api/1/composes/{id}/why-not": Row("400 401 400 400 400 400 400 400 400 400 400", .doneCompose),
        "GET /api/1/diff": Row("400 401 400 400 400 400 400 400 400 400 400"),
        "GET /api/1/subscribers": Row("401 401 403 403 403 403 403 403 403 200 200"),
        "GET /api/1/subscribers/{id}": Row("401 401 403 403 403 403 403 403 403 200 200", .subscriber),
        "POST /api/1/subscribers/{id}/replay": Row("401 401 403 403 403 403 403 403 403 202 202", .subscriber),
        "POST /api/1/subscribers/{id}/pause": Row("401 401 403 403 403 403 403 403 403 202 202", .subscriber),
        "POST /api/1/subscribers/{id}/resume": Row("401 401 403 403 403 403 403 403 403 202 202", .subscriber),
        "GET /composes": Row("200 200 200 200 200 200 200 200 200 200 200"),
        "GET /composes/**": Row("200 200 200 200 200 200 200 200 200 200 200", .file),
        "GET /composes-secret": Row(readSecret),
        "GET /composes-secret/**": Row(readSecret, .file),
    ]

    /// Recognizes the senders of the table.
    struct Provider: IdentityProvider {
        let name = "table"
        let challenge: String? = "Bearer realm=\"odcs\""

        func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
            guard case .bearer(let token) = credentials.authorization, let sender = Sender(rawValue: token.text), sender != .bad else {
                throw .wrong("The token is not known.")
            }
            let account = try? AccountName(sender == .token ? "owner" : sender.rawValue)
            guard let account else { throw .wrong("The name cannot be used.") }
            let groups: [Sender: Set<String>] = [
                .client: ["clients"], .owner: ["clients"], .token: ["clients"], .limited: ["limited"], .other: ["others"],
            ]
            return Identity(
                account: account, provider: name, groups: groups[sender] ?? [], scopes: sender == .token ? [.newCompose] : nil,
                token: sender == .token ? "t1" : nil, workload: sender == .workload ? "lockfiles" : nil)
        }
    }

    static func access(asks: Bool) -> AccessControl {
        var clients = ClientRule(name: "clients", members: Members(groups: ["clients"], workloads: ["lockfiles"]))
        clients.repositories = .any
        clients.targetDirs = AllowedWords(["secret"])
        var others = ClientRule(name: "others", members: Members(groups: ["others"]))
        others.repositories = .any
        var limited = ClientRule(name: "limited", members: Members(groups: ["limited"]))
        limited.sourceTypes = AllowedWords(["tag"])
        limited.watches = false
        return AccessControl(
            chain: asks ? IdentityChain([Provider()]) : nil,
            rules: AccessRules(admins: Members(users: ["admin"]), clients: [clients, others, limited]),
            privateTargets: ["secret": Members(users: ["nobody"])])
    }

    private static func with(asks: Bool, _ body: @escaping @Sendable (FrontendFixture, [Resource]) async throws -> Void) async throws {
        let resources = Resources()
        try await FrontendFixture.withImages(configure: {
            $0.admission.capabilities = .all
            $0.access = access(asks: asks)
            $0.tokens = TokenService()
            $0.targets["secret"] = $0.targets["default"].map { .init(path: $0.path, url: "/composes-secret") }
            resources.configuration = $0
        }) { frontend in
            let configuration = try #require(resources.configuration)
            let all = ComposeFrontend(configuration: configuration, store: frontend.database.store, logger: .silent)
            try await body(frontend, all.resources(metrics: HTTPMetrics()) + all.pages)
        }
    }

    /// Keeps the configuration of the frontend, which is made in a closure.
    private final class Resources: @unchecked Sendable {
        var configuration: FrontendConfiguration?
    }

    private static func key(_ method: HTTPRequest.Method, _ path: String) -> String {
        "\(method.rawValue) /\(path.split(separator: "/").joined(separator: "/"))"
    }

    @Test("each route answers each kind of sender as the table says", arguments: [true, false])
    func table(asks: Bool) async throws {
        try await Self.with(asks: asks) { frontend, resources in
            try frontend.write("x", to: "odcs-7/compose/x")
            let routes = resources.flatMap { resource in
                resource.operations.keys.map { (Self.key($0, resource.path.description), $0, resource.path.description) }
            }
            #expect(Set(routes.map(\.0)) == Set(Self.rows.keys))
            for (key, method, path) in routes {
                guard let row = Self.rows[key] else { continue }
                try #require(row.statuses.count == Sender.allCases.count)
                for (sender, status) in zip(Sender.allCases, row.statuses) where asks != (sender == .unknown) {
                    let answer = try await Self.ask(frontend, method, path, row, by: sender)
                    #expect(answer.status == status, "\(key) by \(sender): \(answer.text)")
                    guard answer.status == 401 else { continue }
                    #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"odcs\"", "\(key) by \(sender)")
                }
            }
        }
    }

    private static func ask(
        _ frontend: FrontendFixture, _ method: HTTPRequest.Method, _ path: String, _ row: Row, by sender: Sender
    ) async throws -> Answer {
        let (id, made) = try await make(row.object, in: frontend, for: sender == .workload ? .workload : .owner)
        let file = row.object == .secretCompose ? "compose/x" : "odcs-7/compose/x"
        var uri = path.replacing("{id}", with: id).replacing("**", with: file)
        if !uri.hasPrefix("/") { uri = "/" + uri }
        var headers: HTTPFields = [.anonymous, .unknown].contains(sender) ? [:] : .by(sender.rawValue)
        guard method == .post, !uri.hasPrefix("/api/"), !uri.hasPrefix("/odcs/"), !["/image", "/component"].contains(uri) else {
            return try await frontend.request(method, uri, made ?? row.body, headers: headers)
        }
        // A form has the token of the browser's cookie.
        headers[.cookie] = "\(BrowserCookies(serverURL: "https://odcs.example.com").form)=k1"
        return try await frontend.request(
            method, uri, "form=\(FormKey(text: "k1").token(for: uri))&\(row.body ?? "")", headers: headers)
    }

    /// Makes an object, and returns its id and the body of a request about it.
    private static func make(
        _ object: Object?, in frontend: FrontendFixture, for owner: Sender
    ) async throws -> (id: String, body: String?) {
        let store = frontend.database.store
        let sender = frontend.by(owner.rawValue)
        func id(_ answer: Answer) throws -> String { "\(try #require(try answer.json["id"]?.integer, "\(answer.text)"))" }
        func image() async throws -> String {
            try id(
                await sender.request(
                    .post, "/api/1/images", #"{"repository": "i\#(UUID().uuidString.lowercased())", "definition": \#(definition)}"#))
        }
        switch object {
        case nil, .file: return ("", nil)
        case .subscriber:
            try await store.registerSubscribers(["ci"])
            return ("\(try #require(try await store.subscribers().first).id)", nil)
        case .compose: return ("\(try await store.submit(.repo(), owner: owner.rawValue).id)", nil)
        case .doneCompose:
            let compose = try await store.submit(.repo(), owner: owner.rawValue).id
            _ = try await store.delete(compose, by: Actor(name: owner.rawValue, isAdmin: false))
            return ("\(compose)", nil)
        case .secretCompose:
            var request = ComposeRequest.repo()
            request.targetDir = "secret"
            let compose = try await store.submit(request, owner: owner.rawValue).id
            _ = try await store.delete(compose, by: Actor(name: owner.rawValue, isAdmin: false))
            try frontend.write("x", to: "odcs-\(compose)/compose/x")
            return ("\(compose)", nil)
        case .watch: return ("\(try await store.standingWatch(owner: owner.rawValue, request: .tag()).id)", nil)
        case .image: return (try await image(), nil)
        case .token:
            let new = NewToken(owner: try AccountName(owner.rawValue), note: "x", scopes: [.newCompose], life: nil)
            return (try await store.createToken(new, by: AuditSender()).token.id, nil)
        case .node:
            let name = "n\(UUID().uuidString.prefix(8))"
            #expect(try await store.addNode(FarmNode(name: name, connection: .unix(path: "/run/\(name).sock"))))
            return (name, nil)
        case .farm:
            let name = "f\(UUID().uuidString.prefix(8))"
            #expect(try await store.createFarm(Farm(name: name, nodes: ["local"])))
            return (name, nil)
        case .newImage:
            return ("", #"{"repository": "i\#(UUID().uuidString.lowercased())", "definition": \#(definition)}"#)
        case .build: return (try id(await sender.request(.post, "/api/1/images/\(try await image())/builds", "{}")), nil)
        case .fixedBy: return ("", #"{"compose": \#(try await store.submit(.repo(), owner: owner.rawValue).id)}"#)
        case .rule:
            return (try id(await sender.request(.post, "/api/1/rules", #"{"base": true, "images": ["i\#(UUID())"]}"#)), nil)
        case .rebuild:
            let compose = try await store.submit(.repo(), owner: owner.rawValue).id
            return (try id(await sender.request(.post, "/api/1/rebuilds", #"{"compose": \#(compose)}"#)), nil)
        }
    }

    @Test("a write learns that an id is unknown only with the permission, and a missing method is the same for all")
    func absent() async throws {
        try await Self.with(asks: true) { frontend, _ in
            for (method, path) in [
                (HTTPRequest.Method.delete, "/api/1/composes/99"), (.patch, "/api/1/composes/99"), (.delete, "/api/1/watches/99"),
                (.delete, "/api/1/images/99"), (.post, "/api/1/images/99/builds"), (.delete, "/api/1/builds/99"),
                (.delete, "/api/1/rebuilds/99"), (.delete, "/api/1/rules/99"),
            ] {
                for (sender, status) in [("bad", 401), ("known", 403), ("client", 404), ("admin", 404)] {
                    let answer = try await frontend.request(method, path, "{}", headers: .by(sender))
                    #expect(answer.status == status, "\(method) \(path) by \(sender): \(answer.text)")
                }
                #expect(try await frontend.request(method, path, "{}").status == 401)
            }
            for sender in Sender.allCases {
                #expect(try await frontend.request(.put, "/api/1/composes", headers: .by(sender.rawValue)).status == 405)
            }
        }
    }
}
