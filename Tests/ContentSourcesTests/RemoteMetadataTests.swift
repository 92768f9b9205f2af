import AsyncHTTPClient
import ComposeModel
import Compression
import Foundation
import Logging
import NIOCore
import NIOPosix
import Repodata
import ScriptedHub
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Metadata of repositories at addresses")
struct RemoteMetadataTests {
    /// `sources/repo` is what the server hands out below `/repo`.
    private func with(
        limits: SourceLimits = Workbench.limits,
        _ body: (Workbench, TestRepository, FileServer, RepositoryLocation, RepositorySource) async throws -> Void
    ) async throws {
        try await Workbench.with(limits: limits) { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try await FileServer.with(bench.sources) { server in
                try await body(
                    bench, repository, server, RepositoryLocation("\(server.address)/repo"), bench.source([server.address], limits: limits))
            }
        }
    }

    private func failure(_ source: RepositorySource, _ location: RepositoryLocation) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(location) }
    }

    @Test("the metadata of an address is that of the directory behind it, fetched once")
    func same() async throws {
        try await with { bench, repository, server, location, source in
            let remote = try await source.pinAndFetch(location)
            let local = try await bench.source(cache: bench.directory.appending("other")).pinAndFetch(.directory(repository.directory))
            #expect(remote.metadata.id == local.metadata.id)
            for name in ["primary.xml", "filelists.xml", "other.xml", "repomd.xml"] {
                #expect(try remote.metadata.directory.appending(name).contents() == local.metadata.directory.appending(name).contents())
            }
            #expect(server.requests.count == 4)
            _ = try await source.pinAndFetch(location)
            #expect(server.requests.count == 5)
        }
    }

    @Test("an address without a repository is refused with a question that helps, at once")
    func noRepository() async throws {
        try await with { bench, _, server, _, source in
            let failure = await failure(source, try RepositoryLocation("\(server.address)/nothing/"))
            #expect(
                failure
                    == ComposeFailure(
                        .sourceNotUsable,
                        "There is no repodata/repomd.xml at \(server.address)/nothing: is it the address of an RPM repository?"))
            #expect(server.requests.count == 1)
        }
    }

    @Test("a server that refuses is believed at once", arguments: [401, 403, 400, 451])
    func refused(status: Int) async throws {
        try await with { _, _, server, location, source in
            server.answer { _ in .status(status) }
            let failure = await failure(source, location)
            #expect(failure?.code == .sourceNotUsable)
            #expect(failure?.isTransient == false)
            #expect(failure?.message.contains("status \(status)") == true)
            #expect(server.requests.count == 1)
        }
    }

    @Test("a busy server is asked again and then answers", arguments: [500, 503, 429, 408])
    func busyAtFirst(status: Int) async throws {
        try await with { _, _, server, location, source in
            server.answer { $0.number == 1 ? .status(status) : .file }
            _ = try await source.pinAndFetch(location)
            #expect(server.requests.count == 8)
        }
    }

    @Test("a server that stays busy is a passing trouble")
    func busy() async throws {
        try await with { _, _, server, location, source in
            server.answer { _ in .status(502) }
            let failure = await failure(source, location)
            #expect(
                failure
                    == ComposeFailure(
                        .sourceUnreachable,
                        "The repository \(location) could not be read: \(server.address) answered with the status 502 (Bad Gateway).",
                        isTransient: true))
            #expect(server.requests.count == 3)
        }
    }

    @Test("a port where nobody listens is a passing trouble")
    func nobody() async throws {
        try await Workbench.with { bench in
            let address = try await FileServer.with(bench.sources) { $0.address }
            let failure = await failure(try bench.source([address]), try RepositoryLocation(address))
            #expect(
                failure
                    == ComposeFailure(
                        .sourceUnreachable, "The repository \(address)/ could not be read: \(address) does not accept connections.",
                        isTransient: true))
        }
    }

    /// The failure of one attempt with a limit, with the same texts for each server and limit.
    private func failure(of answer: FileServer.Answer, within limit: Duration) async throws -> ComposeFailure? {
        var limits = Workbench.limits
        (limits.readTimeout, limits.attempts) = (limit, 1)
        var found: ComposeFailure?
        try await with(limits: limits) { _, _, server, location, source in
            server.answer { _ in answer }
            guard let failure = await failure(source, location) else { return }
            #expect(server.requests.count == 1)
            let message = failure.message.replacing("\(location)", with: "LOCATION").replacing(server.address, with: "SERVER")
                .replacing(#/[0-9.]+ seconds/#, with: "N seconds")
            found = ComposeFailure(failure.code, message, isTransient: failure.isTransient)
        }
        return found
    }

    @Test(
        "a server that never answers, stops in the middle, or is far too slow is given up",
        arguments: [
            (FileServer.Answer.silence, "did not answer within N seconds"),
            (.drip(every: .milliseconds(20)), "sends less than 1000 bytes in a second"),
            (.drip(every: .hours(1)), "stopped sending for N seconds"),
            // No byte of the file is in an answer that goes on.
            (.endlessExtension(every: .milliseconds(5)), "stopped sending for N seconds"),
        ])
    func givenUp(answer: FileServer.Answer, words: String) async throws {
        let expected = ComposeFailure(
            .sourceUnreachable, "The repository LOCATION could not be read: SERVER \(words).", isTransient: true)
        let found = try await withGrowingLimit(from: .milliseconds(500), until: { (found: ComposeFailure?) in found == expected }) {
            limit in
            try await failure(of: answer, within: limit)
        }
        #expect(found == expected)
    }

    @Test("a document that stalls goes on where it stalled")
    func resumed() async throws {
        var limits = Workbench.limits
        // The other answers must come within this time on a busy machine too.
        limits.readTimeout = .seconds(5)
        try await with(limits: limits) { _, _, server, location, source in
            server.answer { $0.path.contains("primary") && $0.number == 1 ? .stall(after: 100) : .file }
            _ = try await source.pinAndFetch(location)
            #expect(Set(server.requests.compactMap(\.range)) == ["bytes=100-"])
        }
    }

    @Test("a document that is cut each time is reported with both lengths, and nothing stays")
    func alwaysCut() async throws {
        try await with { bench, repository, server, location, source in
            server.answer { $0.path.contains("primary") ? .cut(after: 100) : .file }
            let failure = await failure(source, location)
            let size = try repository.document("primary").stat().size
            #expect(failure?.code == .metadataCorrupt)
            #expect(failure?.isTransient == true)
            #expect(failure?.message.contains(#/primary \(.*the transfer ended after \d+ of/#) == true, "\(failure?.message ?? "")")
            #expect(failure?.message.contains(" of \(size) bytes") == true)
            #expect(try bench.names(in: bench.cache) == [])
        }
    }

    @Test("a document that is shorter than repomd.xml says, from a server that calls it complete, is corrupt")
    func shorter() async throws {
        try await with { bench, repository, server, location, source in
            let primary = try repository.document("primary").contents()
            server.answer { $0.path.contains("primary") ? .bytes(Array(primary.dropLast(10))) : .file }
            let failure = await failure(source, location)
            #expect(failure?.code == .metadataCorrupt)
            #expect(failure?.isTransient == false)
            #expect(failure?.message.contains("it has \(primary.count - 10) bytes instead of \(primary.count)") == true)
            #expect(server.requests.count { $0.path.contains("primary") } == 3)
            #expect(try bench.names(in: bench.cache) == [])
        }
    }

    @Test("a repository that changes between repomd.xml and primary is pinned again")
    func changesOnce() async throws {
        try await with { bench, _, server, location, source in
            let second = try await TestRepository(bench.directory.appending("second/repo"), marker: "2")
            server.answer { request in
                let isFirst = server.requests.count { $0.path.contains("primary") } == 1
                guard request.path.contains("primary"), isFirst else { return .file }
                server.serve(bench.directory.appending("second"))
                return .status(404)
            }
            let pinned = try await source.pinAndFetch(location)
            #expect(try pinned.metadata.id == FileChecksum.of(second.repomd, .sha256))
            #expect(pinned.revision == "2")
            #expect(try bench.keptMetadata() == ["\(pinned.metadata.id.hex)-3"])
        }
    }

    @Test("a repository that changes each time is a passing trouble")
    func keepsChanging() async throws {
        try await with { bench, _, server, location, source in
            _ = try await TestRepository(bench.directory.appending("second/repo"), marker: "2")
            server.answer { request in
                guard request.path.contains("repomd.xml") else { return .status(404) }
                server.serve(request.number.isMultiple(of: 2) ? bench.sources : bench.directory.appending("second"))
                return .file
            }
            let failure = await failure(source, location)
            #expect(
                failure
                    == ComposeFailure(
                        .sourceChanging,
                        "The repository \(location) changed each of the 3 times that it was read. It is tried again later.",
                        isTransient: true))
            #expect(try bench.names(in: bench.cache) == [])
        }
    }

    @Test("redirects are followed to allowed addresses only")
    func redirects() async throws {
        try await with { bench, _, server, location, source in
            // Relative, then absolute, then the file.
            server.answer { request in
                if request.path.hasPrefix("/repo/") {
                    return .status(302, headers: [("location", "../../step\(request.path)?signature=x")])
                }
                if request.path.hasPrefix("/step/") {
                    let path = request.path.replacing("/step/repo", with: "/repo/.").replacing("?signature=x", with: "")
                    return .status(307, headers: [("location", "\(server.address)/alias\(path.dropFirst("/repo/.".count))")])
                }
                return .file
            }
            try FileManager.default.createSymbolicLink(atPath: bench.sources.appending("alias").string, withDestinationPath: "repo")
            _ = try await source.pinAndFetch(location)
            #expect(server.requests.count == 12)

            for (target, words) in [
                (
                    "http://localhost:\(server.port)/repo/repodata/repomd.xml?token=secret",
                    "it is redirected to http://localhost:\(server.port)/repo/repodata/repomd.xml, which is not among"
                ),
                ("file:///etc/passwd", "redirects to an address that cannot be used: it is neither http:// nor https://"),
                ("http://user:secret@127.0.0.1:\(server.port)/", "it contains a user name or password"),
            ] {
                let before = server.requests.count
                server.answer { _ in .status(301, headers: [("location", target)]) }
                let failure = await failure(source, location)
                #expect(failure?.code == .sourceNotUsable)
                #expect(failure?.isTransient == false)
                #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
                #expect(failure?.message.contains("secret") == false)
                #expect(server.requests.count == before + 1)
            }
        }
    }

    @Test("redirects that go round in circles end")
    func circle() async throws {
        try await with { _, _, server, location, source in
            server.answer { .status(302, headers: [("location", $0.path)]) }
            let failure = await failure(source, location)
            #expect(failure?.message == "The repository \(location) cannot be read: \(server.address) redirects more than 5 times.")
        }
    }

    @Test("an address that is not allowed is not asked")
    func notAllowed() async throws {
        try await with { bench, _, server, location, _ in
            let source = try bench.source(["\(server.address)/other"])
            let failure = await failure(source, location)
            #expect(failure?.code == .sourceNotUsable)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("a download ends when it has taken as long as it may, however steadily it drips")
    func drip() async throws {
        var limits = Workbench.limits
        (limits.downloadTime, limits.minimumRate) = (.milliseconds(200), 0)
        try await with(limits: limits) { bench, _, server, location, source in
            server.answer { _ in .drip(every: .milliseconds(1)) }
            try bench.sources.appending("repo/repodata/repomd.xml").write([UInt8](repeating: 0x20, count: 1 << 20))
            let failure = await failure(source, location)
            #expect(
                failure
                    == ComposeFailure(
                        .limitExceeded,
                        "The repository \(location) could not be read: \(server.address) did not send it within 0.2 seconds, the most that a "
                            + "download of its size may take here (sources.download_seconds). A mirror that is faster may help."))
        }
    }

    @Test("a canceled task ends soon, and nothing stays")
    func canceled() async throws {
        try await with { bench, _, server, location, source in
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            server.answer { request in
                guard request.path.contains("primary") else { return .file }
                ask.yield()
                return .silence
            }
            let task = Task { try await source.pinAndFetch(location) }
            for await _ in asked { break }
            task.cancel()
            let failure = await #expect(throws: ComposeFailure.self) { try await task.value }
            #expect(failure?.code == .canceled)
            let left = try bench.names(in: bench.cache)
            #expect(left == [])
        }
    }
}
