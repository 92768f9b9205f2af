public import ComposeModel
public import Foundation
public import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// A real HTTP server in the test's process that speaks the contract, and does what the test says when the test says so.
///
/// Composes change only when the test changes them; nothing happens by itself.
public final class ScriptedService: Sendable {
    /// A request as it arrived.
    public struct Call: Sendable {
        public let method: HTTPRequest.Method
        /// With the query.
        public let path: String
        public let headers: HTTPFields
        public let body: Data

        /// `GET /api/1/composes/12`
        public var line: String { "\(method.rawValue) \(path)" }
    }

    /// What is said to a request.
    public struct Answer: Sendable {
        public var status: Int
        public var headers: HTTPFields
        public var body: Data
        /// The connection breaks where the body should come.
        public var breaksOff = false

        public init(_ status: Int, _ text: String = "", type: String = "text/plain", headers: HTTPFields = [:]) {
            self.init(status, Data(text.utf8), type: type, headers: headers)
        }

        public init(_ status: Int, _ body: Data, type: String, headers: HTTPFields = [:]) {
            self.status = status
            self.headers = headers
            self.headers[.contentType] = type
            self.body = body
        }

        public static func json(_ value: some Encodable, status: Int = 200) throws -> Answer {
            Answer(status, try JSONEncoder().encode(value), type: "application/json")
        }

        /// An error in the contract's form.
        public static func refusal(_ status: Int, _ message: String) throws -> Answer {
            struct Refusal: Encodable { var status: Int, error: String, message: String }
            return try json(Refusal(status: status, error: "Error", message: message), status: status)
        }
    }

    private struct State {
        var port = 0
        var composes: [Int: ComposeDocument] = [:]
        var logs: [Int: Data] = [:]
        var watches: [Int: WatchDocument] = [:]
        var calls: [Call] = []
        var script: [@Sendable (Call) async throws -> Answer] = []
        var answersRanges = true
        /// Which compose a key has made.
        var keys: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// `http://127.0.0.1:PORT`
    public var address: String { state.withLock { "http://127.0.0.1:\($0.port)" } }

    /// Runs `body` with a service that has no composes.
    @discardableResult
    public static func run<Value: Sendable>(_ body: @escaping @Sendable (ScriptedService) async throws -> Value) async throws -> Value {
        let service = ScriptedService()
        return try await serving(Responder(service: service)) { port in
            service.state.withLock { $0.port = port }
            return try await body(service)
        }
    }

    /// Every request so far, the oldest first.
    public var calls: [Call] { state.withLock { $0.calls } }
    /// Their first lines.
    public var lines: [String] { calls.map(\.line) }

    /// Puts a compose there, or changes it.
    public func put(_ compose: ComposeDocument) {
        state.withLock { $0.composes[compose.id] = compose }
    }

    /// Changes a compose that is there.
    public func change(_ id: Int, _ change: @Sendable (inout ComposeDocument) -> Void) {
        state.withLock { state in
            guard var compose = state.composes[id] else { return }
            change(&compose)
            state.composes[id] = compose
        }
    }

    /// Puts a watch there, or changes it.
    public func put(_ watch: WatchDocument) {
        state.withLock { $0.watches[watch.id] = watch }
    }

    /// Changes a watch that is there.
    public func changeWatch(_ id: Int, _ change: @Sendable (inout WatchDocument) -> Void) {
        state.withLock { state in
            guard var watch = state.watches[id] else { return }
            change(&watch)
            state.watches[id] = watch
        }
    }

    /// Writes to a compose's log, which exists from then on.
    public func log(_ id: Int, _ text: String) {
        state.withLock { $0.logs[id, default: Data()].append(Data(text.utf8)) }
    }

    /// Begins a compose's log anew, as a second attempt does.
    public func replaceLog(_ id: Int, _ text: String) {
        state.withLock { $0.logs[id] = Data(text.utf8) }
    }

    /// From now on every read of a log answers with all of it.
    public func ignoreRanges() {
        state.withLock { $0.answersRanges = false }
    }

    /// Says what the next requests are answered, whatever they ask; after those the service speaks for itself again.
    public func next(_ answers: Answer...) {
        state.withLock { state in
            state.script += answers.map { answer in { _ in answer } }
        }
    }

    /// The next request is obeyed, but its answer never arrives: the connection breaks.
    public func loseNextAnswer() {
        next { call in
            var answer = try self.obey(call)
            answer.breaksOff = true
            return answer
        }
    }

    /// Answers the next request by `answer`, which may wait for something.
    public func next(_ answer: @escaping @Sendable (Call) async throws -> Answer) {
        state.withLock { $0.script.append(answer) }
    }

    fileprivate func answer(_ call: Call) async throws -> Answer {
        let scripted = state.withLock { state in
            state.calls.append(call)
            return state.script.isEmpty ? nil : state.script.removeFirst()
        }
        if let scripted { return try await scripted(call) }
        return try obey(call)
    }

    /// What the service does when the test says nothing else.
    public func obey(_ call: Call) throws -> Answer {
        let path = call.path.prefix { $0 != "?" }.split(separator: "/").map(String.init)
        switch (call.method, path.prefix(3), path.dropFirst(3).first.flatMap { Int($0) }) {
        case (.get, ["api", "1", "about"], nil): return Answer(200, Self.about, type: "application/json")
        case (.post, ["api", "1", "composes"], nil): return try submit(call)
        case (.get, ["api", "1", "composes"], nil): return try list()
        case (.get, ["api", "1", "composes"], let id?): return try withCompose(id) { try .json($0) }
        case (.patch, ["api", "1", "composes"], let id?): return try withCompose(id) { try .json($0) }
        case (.delete, ["api", "1", "composes"], let id?):
            struct Word: Encodable { var status = 202, message: String }
            return try withCompose(id) { try .json(Word(message: "Compose \($0.id) is canceled"), status: 202) }
        case (.post, ["api", "1", "watches"], nil): return try watch(call)
        case (.get, ["api", "1", "watches"], nil): return try listWatches(includingEnded: call.path.contains("include_ended=true"))
        case (.get, ["api", "1", "watches"], let id?): return try withWatch(id) { _ in }
        case (.delete, ["api", "1", "watches"], let id?):
            return try withWatch(id) { $0.timeEnded = $0.timeEnded ?? "2026-11-21T11:00:00Z" }
        case (.get, _, nil) where path.count == 3 && path.first == "composes" && path.last == ComposeLayout.log:
            return log(Int(path[1].dropFirst("odcs-".count)) ?? 0, range: call.headers[.range])
        default: return try .refusal(404, "there is nothing at \(call.path)")
        }
    }

    private static let about = """
        {"version": "1.0", "features": ["wait"], "auth_backend": "noauth", "allowed_clients": {"groups": {}, "users": {"me": {}}},
         "raw_config_urls": {"fedora": {"url": "https://example.org/fedora.git"}}, "sigkeys": ["db42a60e"]}
        """

    private func withCompose(_ id: Int, _ answer: (ComposeDocument) throws -> Answer) throws -> Answer {
        guard let compose = state.withLock({ $0.composes[id] }) else { return try .refusal(404, "No such compose: \(id)") }
        return try answer(compose)
    }

    private func submit(_ call: Call) throws -> Answer {
        struct Body: Decodable {
            struct Source: Decodable { var type: String, source: String?, packages: [String]? }
            var source: Source
        }
        let source = try JSONDecoder().decode(Body.self, from: call.body).source
        let key = call.headers[.idempotencyKey]
        if let made = state.withLock({ state in key.flatMap { state.keys[$0] }.flatMap { state.composes[$0] } }) { return try .json(made) }
        let id = state.withLock { state in
            let id = (state.composes.keys.max() ?? 0) + 1
            if let key { state.keys[key] = id }
            return id
        }
        let compose = ComposeDocument.example(
            id, .wait, type: SourceType(name: source.type) ?? .repo, source: source.source ?? "", packages: source.packages ?? [],
            at: address)
        put(compose)
        return try .json(compose)
    }

    private struct Page<Item: Encodable>: Encodable {
        struct Meta: Encodable {
            var page = 1, pages = 1, per_page = 10, total: Int, first = "f", last = "l", prev: String?, next: String?
        }
        var meta: Meta
        var items: [Item]

        init(_ items: [Item]) {
            meta = Meta(total: items.count, prev: nil, next: nil)
            self.items = items
        }
    }

    private func list() throws -> Answer {
        try .json(Page(state.withLock { $0.composes.values.sorted { $0.id > $1.id } }))
    }

    private func listWatches(includingEnded: Bool) throws -> Answer {
        let watches = state.withLock { $0.watches.values.sorted { $0.id > $1.id } }
        return try .json(Page(watches.filter { includingEnded || $0.timeEnded == nil }))
    }

    private func withWatch(_ id: Int, _ change: @Sendable (inout WatchDocument) -> Void) throws -> Answer {
        changeWatch(id, change)
        guard let watch = state.withLock({ $0.watches[id] }) else { return try .refusal(404, "There is no watch \(id).") }
        return try .json(watch)
    }

    /// The watch that stands for the same tag and packages, or a new one.
    private func watch(_ call: Call) throws -> Answer {
        struct Body: Decodable {
            struct Source: Decodable { var source: String, packages: [String]? }
            var source: Source
        }
        let source = try JSONDecoder().decode(Body.self, from: call.body).source
        let packages = source.packages ?? []
        let watch = state.withLock { state in
            let standing = state.watches.values.first {
                $0.timeEnded == nil && $0.source == source.source && ($0.packages ?? "") == packages.joined(separator: " ")
            }
            let watch = standing ?? .example((state.watches.keys.max() ?? 0) + 1, tag: source.source, packages: packages)
            state.watches[watch.id] = watch
            return watch
        }
        return try .json(watch)
    }

    private func log(_ id: Int, range: String?) -> Answer {
        let (file, answersRanges) = state.withLock { ($0.logs[id], $0.answersRanges) }
        guard let file else { return Answer(404, "no such file") }
        guard answersRanges, let bounds = range?.wholeMatch(of: /bytes=(\d+)-(\d+)/), let first = Int(bounds.1), let last = Int(bounds.2)
        else {
            return Answer(200, file, type: "text/plain")
        }
        guard first < file.count else { return Answer(416, headers: [.contentRange: "bytes */\(file.count)"]) }
        let end = min(last, file.count - 1)
        return Answer(206, file[first...end], type: "text/plain", headers: [.contentRange: "bytes \(first)-\(end)/\(file.count)"])
    }
}

extension ComposeDocument {
    /// A compose as a service at `address` would show it.
    public static func example(
        _ id: Int, _ state: ComposeState, type: SourceType = .repo, source: String = "https://example.org/repo",
        packages: [String] = ["ed"],
        reason: String? = nil, at address: String
    ) -> ComposeDocument {
        let submitted = Date(timeIntervalSince1970: 1_795_255_445)
        let request = ComposeRequest(
            sourceType: type, source: source.split(separator: " ").map(String.init), packages: packages, arches: ["x86_64"],
            secondsToLive: 86400)
        let compose = Compose(
            id: id, owner: "me", request: request, source: source, state: state, stateReason: reason, timeSubmitted: submitted,
            timeToExpire: submitted.addingTimeInterval(86400), resultOf: id)
        return ComposeDocument(compose, targetURL: address + "/composes")
    }

    /// Goes over to `state`.
    public mutating func become(_ state: ComposeState, reason: String? = nil) {
        self.state = state.rawValue
        stateName = state.name
        stateReason = reason
    }
}

extension WatchDocument {
    /// A watch that was not looked at yet.
    public static func example(_ id: Int, tag: String = "f26", packages: [String] = ["httpd"]) -> WatchDocument {
        let request = ComposeRequest(sourceType: .tag, source: [tag], packages: packages, arches: ["x86_64"], secondsToLive: 86400)
        let watch = ComposeWatch(id: id, owner: "me", request: request, createdAt: Date(timeIntervalSince1970: 1_795_255_445))
        return WatchDocument(watch) { "https://odcs.example.com/api/1/composes/\($0)" }
    }

    /// Has asked for a compose.
    public mutating func ask(for compose: Int) {
        latestCompose = LatestCompose(id: compose, url: "https://odcs.example.com/api/1/composes/\(compose)")
    }
}

private struct BrokenOff: Error {}

extension HTTPField.Name {
    public static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}

private struct Responder: HTTPResponder {
    let service: ScriptedService

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let body = try await request.body.collect(upTo: 1 << 20)
        let answer = try await service.answer(
            .init(method: request.method, path: request.uri.description, headers: request.headers, body: Data(body.readableBytesView)))
        guard !answer.breaksOff else {
            return Response(
                status: .init(code: answer.status), headers: answer.headers,
                body: .init(contentLength: answer.body.count) { _ in throw BrokenOff() })
        }
        return Response(
            status: .init(code: answer.status), headers: answer.headers, body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}
