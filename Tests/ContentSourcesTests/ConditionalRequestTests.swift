import ComposeModel
import Compression
import Foundation
import NIOHTTP1
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Requests for a repomd.xml that may be unchanged")
struct ConditionalRequestTests {
    private typealias Headers = [(String, String)]

    private static let noon = "Mon, 30 Nov 2026 12:00:00 GMT"
    private static let afterNoon = "Mon, 30 Nov 2026 12:01:00 GMT"

    /// `repo` is what the server hands out, and `second` has another revision with documents of other names.
    private func with(
        limits: SourceLimits = Workbench.limits,
        _ body: (Workbench, FileServer, RepositoryLocation, RepositorySource) async throws -> Void
    ) async throws {
        try await Workbench.with(limits: limits) { bench in
            _ = try await TestRepository(bench.sources.appending("repo"))
            _ = try await TestRepository(bench.directory.appending("second/repo"), storage: .xz, marker: "2")
            try await FileServer.with(bench.sources) { server in
                try await body(bench, server, RepositoryLocation("\(server.address)/repo"), bench.source([server.address], limits: limits))
            }
        }
    }

    private func conditions(_ server: FileServer) -> [String?] {
        server.requests.filter { $0.path.hasSuffix("repomd.xml") }
            .map { $0.headers.first(name: "if-none-match") ?? $0.headers.first(name: "if-modified-since") }
    }

    private func repomdIs(_ headers: Headers) -> @Sendable (FileServer.Request) -> FileServer.Answer {
        { $0.path.hasSuffix("repomd.xml") ? .versioned(headers) : .file }
    }

    @Test(
        "the copy that was read before is used if the server names its version",
        arguments: [
            ([("etag", "\"1\"")], "\"1\""), ([("last-modified", noon), ("date", afterNoon)], noon),
            ([("last-modified", noon), ("date", afterNoon), ("etag", "\"1\"")], "\"1\""),
        ])
    func unchanged(headers: [(String, String)], condition: String) async throws {
        try await with { _, server, location, source in
            server.answer(repomdIs(headers))
            let first = try await source.pin(location)
            let sent = server.bytesSent
            let again = try await source.pin(location)
            #expect(again == first && again.repomd == first.repomd)
            #expect(server.bytesSent == sent)
            #expect(conditions(server) == [nil, condition])
            // The pin is as good as one that was read.
            #expect(try await source.metadata(for: again).metadata.id == first.checksum)
        }
    }

    @Test("a new revision is read, and its version is the next one that is asked for")
    func changed() async throws {
        try await with { bench, server, location, source in
            server.answer(repomdIs([("etag", "\"1\"")]))
            let first = try await source.pin(location)
            server.serve(bench.directory.appending("second"))
            server.answer(repomdIs([("etag", "\"2\"")]))
            let second = try await source.pin(location)
            #expect(second.checksum != first.checksum)
            #expect(try await source.pin(location).checksum == second.checksum)
            #expect(conditions(server) == [nil, "\"1\"", "\"2\""])
        }
    }

    @Test(
        "nothing is asked if equal versions may be different files",
        arguments: [
            [("etag", "W/\"1\"")],
            // It changed less than a minute before it was sent.
            [("last-modified", noon), ("date", noon), ("etag", "\"1\"")],
            [("last-modified", noon), ("date", "Mon, 30 Nov 2026 12:00:59 GMT")],
            [("last-modified", noon)], [("last-modified", "yesterday"), ("date", noon), ("etag", "\"1\"")],
            [("etag", "\"" + String(repeating: "1", count: 300) + "\"")], [],
        ] as [[(String, String)]])
    func unreliable(headers: [(String, String)]) async throws {
        try await with { _, server, location, source in
            server.answer(repomdIs(headers))
            for _ in 0..<2 { _ = try await source.pin(location) }
            #expect(conditions(server) == [nil, nil])
        }
    }

    @Test(
        "a server that calls the file unchanged without naming its version is asked again at once",
        arguments: [[], [("etag", "\"2\"")], [("etag", "W/\"1\"")], [("last-modified", noon)]] as [[(String, String)]])
    func unnamed(headers: [(String, String)]) async throws {
        try await with { bench, server, location, source in
            server.answer(repomdIs([("etag", "\"1\"")]))
            let first = try await source.pin(location)
            server.serve(bench.directory.appending("second"))
            server.answer { $0.headers.contains(name: "if-none-match") ? .status(304, headers: headers) : .versioned([("etag", "\"2\"")]) }
            let second = try await source.pin(location)
            #expect(second.checksum != first.checksum)
            // The versions of this server mean nothing.
            #expect(try await source.pin(location).checksum == second.checksum)
            #expect(conditions(server) == [nil, "\"1\"", nil, nil])
        }
    }

    @Test("a server that confirms every version makes no mixture, and is noticed when a document is missing")
    func liar() async throws {
        try await with { bench, server, location, source in
            server.answer { request in
                guard request.path.hasSuffix("repomd.xml") else { return .file }
                return .versioned([("etag", "\"always\"")])
            }
            let first = try await source.pin(location)
            try FileManager.default.removeItem(atPath: bench.sources.appending("repo/repodata").string)
            try FileManager.default.copyItem(
                atPath: bench.directory.appending("second/repo/repodata").string, toPath: bench.sources.appending("repo/repodata").string)
            let pinned = try await source.pinAndFetch(location)
            #expect(pinned.metadata.id != first.checksum)
            #expect(pinned.revision == "2")
            #expect(try bench.keptMetadata() == ["\(pinned.metadata.id.hex)-3"])
        }
    }

    @Test("a recorded pin is compared with a repomd.xml that is sent")
    func recorded() async throws {
        try await with { bench, server, location, source in
            server.serve(bench.directory.appending("second"))
            server.answer(repomdIs([("etag", "\"always\"")]))
            let second = try await source.pin(location)
            server.serve(bench.sources)
            // The pin of a compose that another worker has pinned meanwhile.
            let first = try await bench.source([server.address], cache: bench.directory.appending("other")).pin(location)
            #expect(first.checksum != second.checksum)
            let metadata = try await source.metadata(for: RepositoryPin(recorded: first.checksum, of: location))
            #expect(metadata.metadata.id == first.checksum)
            #expect(conditions(server) == [nil, nil, nil])
        }
    }

    @Test("after some time the file is sent again, whatever the server would confirm")
    func age() async throws {
        var limits = Workbench.limits
        limits.confirmationTime = .zero
        try await with(limits: limits) { _, server, location, source in
            server.answer(repomdIs([("etag", "\"1\"")]))
            for _ in 0..<2 { _ = try await source.pin(location) }
            #expect(conditions(server) == [nil, nil])
        }
    }

    @Test("a version is asked for only at the address that sent it")
    func mirrors() async throws {
        try await with { bench, server, location, source in
            // One of two mirrors answers, and both use the same name for different files.
            try FileManager.default.copyItem(
                atPath: bench.directory.appending("second/repo").string, toPath: bench.sources.appending("mirror2").string)
            try FileManager.default.copyItem(
                atPath: bench.sources.appending("repo").string, toPath: bench.sources.appending("mirror1").string)
            server.answer { request in
                if request.path.hasPrefix("/repo/") {
                    return .status(302, headers: [("location", "/mirror\(min(2, request.number))/repodata/repomd.xml")])
                }
                return .versioned([("etag", "\"1\"")])
            }
            let first = try await source.pin(location)
            let second = try await source.pin(location)
            #expect(first.checksum != second.checksum)
            #expect(try await source.pin(location) == second)
            #expect(conditions(server) == [nil, nil, nil, nil, nil, "\"1\""])
        }
    }

    @Test("a server that answers 304 to an ordinary request is refused")
    func unasked() async throws {
        try await with { _, server, location, source in
            server.answer { _ in .status(304) }
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pin(location) }
            #expect(failure?.code == .sourceNotUsable)
        }
    }
}
