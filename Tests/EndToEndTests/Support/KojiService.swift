import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import Synchronization
import SystemPackage
import Testing

/// A service whose Koji is a scripted hub that knows the tag f26-updates as of any event from 100 on.
struct KojiService: Sendable {
    /// The last event at which the recorded tag or its parents changed is before this one.
    static let event = 100

    let service: TestService
    let server: ServerProcess
    let hub: ScriptedHub

    /// Where the service reads the tree of files: on its disks, over HTTP, or there although it knows both.
    enum Files: String, CaseIterable {
        case topdir, topurl, both
    }

    /// - Parameters:
    ///   - topdir: the tree of files.
    ///   - settings: further ones below `koji`.
    ///   - worker: those below `worker`.
    ///   - signs: whether the hub knows signatures of packages.
    static func with<R: Sendable>(
        _ files: Files = .topdir, topdir: FilePath = ScriptedHub.topdir, settings: String = "", worker: String = "attempts: 1, slots: 4",
        signs: @escaping @Sendable () -> Bool = { true }, _ body: @escaping @Sendable (KojiService) async throws -> R
    ) async throws -> R {
        try await ScriptedHub.with(topdir: topdir) { hub in
            hub.behave { call, _ in behaviour(call, signs: signs) }
            hub.answerEach { call in call.method == "queryRPMSigs" && !signs() ? .value([]) : nil }
            var koji = "hub: \"\(hub.address)\""
            if files != .topurl { koji += ", topdir: \"\(topdir)\"" }
            if files != .topdir { koji += ", topurl: \"\(hub.topurl)\"" }
            if !settings.isEmpty { koji += ", \(settings)" }
            return try await TestService.running(more: "koji: {\(koji)}\nworker: {\(worker)}") { service, server in
                try await body(KojiService(service: service, server: server, hub: hub))
            }
        }
    }

    static func behaviour(_ call: XMLRPCCall, signs: () -> Bool = { true }) -> ScriptedHub.Behaviour {
        func keyword(_ name: String) -> XMLRPCValue? { call.keywords.last { $0.name == name }?.value }
        switch call.method {
        case "getTag" where call.arguments.first == "f26-updates":
            return .reply(.value(["id": 2, "name": "f26-updates", "arches": "x86_64 aarch64", "locked": false]))
        case "getLastEvent": return .reply(.value(["id": .int(event + 1), "ts": .double(1_795_247_700)]))
        case "tagChangedSinceEvent": return .reply(.value(false))
        case "queryHistory": return .reply(.value(["tag_listing": .array([])]))
        case "getFullInheritance" where call.arguments.first == .int(2):
            return .bytes(Recordings.response("getFullInheritance_f26-updates"))
        case "listTaggedRPMS" where call.arguments.first == "f26-updates":
            let name = keyword("rpmsigs") == true && signs() ? "listTaggedRPMS_rpmsigs" : "listTaggedRPMS_pungi"
            return .reply(.value(rows(name, arches: keyword("arch")?.array ?? [])))
        default: return .answer
        }
    }

    /// What was recorded for all architectures, as the hub answers for some of them.
    static func rows(_ recording: String, arches: [XMLRPCValue]) -> XMLRPCValue {
        guard let answer = try? XMLRPCValue(parsing: Recordings.response(recording)), let lists = answer.array, lists.count == 2,
            let rpms = lists[0].array
        else { return .null }
        return [.array(rpms.filter { rpm in rpm["arch"].map(arches.contains) ?? false }), lists[1]]
    }

    /// A POST that is accepted; its compose's number.
    func submit(_ source: String, _ members: String...) async throws -> Int {
        let answer = try await server.post("{\((["\"source\": {\(source)}"] + members).joined(separator: ", "))}")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
    }

    /// Asks for a compose whose `source` is this, JSON without its braces, and does not wait.
    func post(_ source: String, flags: [String] = []) async throws -> Int {
        try await submit(source, "\"flags\": [\(flags.map { "\"\($0)\"" }.joined(separator: ", "))]")
    }

    func compose(_ source: String, flags: [String] = []) async throws -> FinishedCompose {
        try await end(of: try await post(source, flags: flags))
    }

    func end(of id: Int) async throws -> FinishedCompose {
        _ = try await service.await(id, .done, .failed)
        return FinishedCompose(document: try await server.compose(id), in: service.composes)
    }

    /// A text with the address of the hub, and numbers of bytes, as they are called in expectations.
    func masked(_ text: String) -> String {
        text.replacing(hub.address.dropLast("/kojihub".count), with: "HUB")
            .replacing(/[0-9]+ (of [0-9]+ )?bytes/, with: "N bytes").replacing(/[0-9a-f]{32,64}/, with: "HASH")
    }

    /// That a compose failed so, left nothing behind, and says so in its log as well, without a path of the server.
    func expectFailure(
        _ compose: FinishedCompose, _ reason: String, _ code: ComposeFailure.Code, isTransient: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(masked(compose.document.stateReason ?? "") == reason, sourceLocation: sourceLocation)
        #expect(compose.state == "failed", sourceLocation: sourceLocation)
        #expect(compose.document.failure?.code == code, "\(reason)", sourceLocation: sourceLocation)
        #expect(compose.document.failure?.isTransient == isTransient, "\(reason)", sourceLocation: sourceLocation)
        #expect(try service.traces(of: compose.document.id) == [], sourceLocation: sourceLocation)
        let log = try await server.http(.GET, "\(compose.document.toplevelURL)/pungi-stderr.log").text
        #expect(masked(log).contains("ERROR \(reason.replacing("\n", with: " "))\n"), sourceLocation: sourceLocation)
        for text in [log, compose.document.stateReason ?? ""] {
            #expect(!text.contains(service.directory.string) && !text.contains(hub.topdir.string), sourceLocation: sourceLocation)
        }
    }
}

/// Something that a test changes while a server in its process looks at it.
final class Flag: Sendable {
    private let state: Mutex<Bool>

    init(_ value: Bool) { state = Mutex(value) }

    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
