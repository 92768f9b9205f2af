import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import Synchronization
import SystemPackage
import Testing

/// A service whose Koji is a scripted hub that knows the tag f26-updates as ``KojiComposeTests`` has it.
struct KojiService: Sendable {
    let service: TestService
    let server: ServerProcess
    let hub: ScriptedHub

    /// - Parameters:
    ///   - topdir: the tree of files; `nil` for the recorded one.
    ///   - more: further keys below `koji`.
    ///   - worker: keys below `worker`.
    static func with<R: Sendable>(
        topdir: FilePath = ScriptedHub.topdir, overHTTP: Bool = false, more: String = "", worker: String = "attempts: 1, slots: 4",
        _ body: @escaping @Sendable (KojiService) async throws -> R
    ) async throws -> R {
        try await ScriptedHub.with(topdir: topdir) { hub in
            hub.behave { call, _ in KojiComposeTests.behaviour(call) }
            let files = overHTTP ? "topurl: \"\(hub.topurl)\"" : "topdir: \"\(topdir)\""
            let configuration = "koji: {hub: \"\(hub.address)\", \(files)\(more.isEmpty ? "" : ", \(more)")}\nworker: {\(worker)}"
            return try await TestService.running(more: configuration) { service, server in
                try await body(KojiService(service: service, server: server, hub: hub))
            }
        }
    }

    /// Asks for a compose whose `source` is this, JSON without its braces, and does not wait.
    func post(_ source: String, flags: [String] = []) async throws -> Int {
        let flags = flags.map { "\"\($0)\"" }.joined(separator: ", ")
        let answer = try await server.post("{\"source\": {\(source)}, \"flags\": [\(flags)]}")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
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
