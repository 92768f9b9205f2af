import ComposeModel
import Compression
import Foundation
import NIOCore
import NIOHTTP1
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Delivering packages from addresses")
struct RemoteDeliveryTests {
    /// `sources/repo` is what the server hands out below `/repo`.
    private func with(
        limits: SourceLimits = Workbench.limits, _ body: (Workbench, TestRepository, FileServer, PinnedRepository) async throws -> Void
    ) async throws {
        try await Workbench.with(limits: limits) { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try await FileServer.with(bench.sources) { server in
                let location = try RepositoryLocation("\(server.address)/repo/")
                let pinned = try await bench.source([server.address]).pinAndFetch(location)
                try await body(bench, repository, server, pinned)
            }
        }
    }

    /// Waits only some seconds for a server that stops sending. On a busy machine, an answer can miss that
    /// time, so the file is asked for often.
    private var impatient: SourceLimits {
        var limits = Workbench.limits
        (limits.readTimeout, limits.attempts) = (.seconds(3), 10)
        return limits
    }

    private func packageRequests(_ server: FileServer) -> [FileServer.Request] {
        server.requests.filter { $0.path.hasSuffix(".rpm") }
    }

    @Test("packages are downloaded, several at once")
    func download() async throws {
        try await with { bench, repository, server, pinned in
            let items = try ["ed", "joe", "big"].map {
                (record: try repository.record($0), destination: bench.tree.appending("Packages/\($0).rpm"))
            }
            #expect(try await bench.delivery([server.address]).deliver(all: items, of: pinned) == [.download: 3])
            for name in ["ed", "joe", "big"] {
                #expect(try bench.tree.appending("Packages/\(name).rpm").contents() == repository.file(name).contents())
            }
            #expect(try bench.names(in: bench.tree.appending("Packages")) == ["big.rpm", "ed.rpm", "joe.rpm"])
        }
    }

    @Test("a download that stalls goes on where it stalled")
    func resumed() async throws {
        try await with(limits: impatient) { bench, repository, server, pinned in
            server.answer { $0.number == 1 ? .stall(after: 1_500_000) : .file }
            let place = bench.tree.appending("big.rpm")
            let delivery = try bench.delivery([server.address], limits: impatient)
            #expect(try await delivery.deliver(repository.record("big"), of: pinned, to: place) == .download)
            #expect(try place.contents() == repository.file("big").contents())
            let requests = packageRequests(server)
            #expect(Set(requests.dropFirst().map(\.range)) == ["bytes=1500000-"])
            #expect(requests.last?.headers.contains(name: "if-range") == true)
        }
    }

    @Test("a download whose connection is cut is completed")
    func cut() async throws {
        try await with { bench, repository, server, pinned in
            server.answer { $0.number == 1 ? .cut(after: 1_500_000) : .file }
            let place = bench.tree.appending("big.rpm")
            let delivery = try bench.delivery([server.address])
            #expect(try await delivery.deliver(repository.record("big"), of: pinned, to: place) == .download)
            #expect(try place.contents() == repository.file("big").contents())
            #expect(packageRequests(server).count == 2)
        }
    }

    @Test("a server that has no Range gives the whole file again")
    func withoutRange() async throws {
        try await with { bench, repository, server, pinned in
            server.answer { $0.number == 1 ? .cut(after: 1_500_000) : .wholeFile }
            let place = bench.tree.appending("big.rpm")
            let delivery = try bench.delivery([server.address])
            #expect(try await delivery.deliver(repository.record("big"), of: pinned, to: place) == .download)
            #expect(try place.contents() == repository.file("big").contents())
        }
    }

    @Test("pieces of two different files are noticed, and the file is fetched once more as a whole")
    func pieced() async throws {
        try await with(limits: impatient) { bench, repository, server, pinned in
            let content = try repository.file("big").contents()
            let other = bench.directory.appending("second")
            try other.appending("repo").createDirectory()
            try other.appending("repo/big-1.0-1.noarch.rpm").write([UInt8](repeating: 7, count: content.count))
            server.serve(other)
            server.answer { request in
                if request.number == 1 { return .stallUnversioned(after: 1_500_000) }
                server.serve(bench.sources)
                return .file
            }
            let place = bench.tree.appending("big.rpm")
            let delivery = try bench.delivery([server.address], limits: impatient)
            #expect(try await delivery.deliver(repository.record("big"), of: pinned, to: place) == .download)
            #expect(try place.contents() == content)
            let ranges = packageRequests(server).map(\.range)
            #expect(Set(ranges.dropFirst().dropLast()) == ["bytes=1500000-"] && ranges.last == .some(nil))
        }
    }

    @Test("a missing, shorter, longer or other file is refused, and nothing stays")
    func unusable() async throws {
        try await with { bench, repository, server, pinned in
            let delivery = try bench.delivery([server.address])
            let record = try repository.record("ed")
            let content = try repository.file("ed").contents()
            for (answer, reason, tries) in [
                (FileServer.Answer.status(404), "it does not exist", 1), (.status(403), "the server answered with the status 403", 1),
                (.bytes(content.dropLast(3)), "it has \(content.count - 3) bytes instead of \(content.count)", 3),
                (.bytes(content + [1]), "it has \(content.count + 1) bytes instead of \(content.count)", 1),
                (.bytes(content.reversed()), "instead of \(record.pkgid)", 1),
            ] {
                let before = packageRequests(server).count
                server.answer { _ in answer }
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await delivery.deliver(record, of: pinned, to: bench.tree.appending("ed.rpm"))
                }
                #expect(failure?.code == .packageFileUnusable)
                #expect(failure?.isTransient == false)
                #expect(
                    failure?.message.hasPrefix("The file of the package ed-1.0-1.noarch (ed-1.0-1.noarch.rpm) in the repository ") == true)
                #expect(failure?.message.hasSuffix("\(reason).") == true, "\(failure?.message ?? "")")
                #expect(packageRequests(server).count == before + tries)
                #expect(try bench.names(in: bench.tree) == [])
            }
        }
    }

    @Test("a server that fails for a while is a passing trouble, and nothing stays")
    func unreachable() async throws {
        try await with { bench, repository, server, pinned in
            let delivery = try bench.delivery([server.address])
            let record = try repository.record("big")
            for answer in [FileServer.Answer.status(503), .cut(after: 1_000_000)] {
                server.answer { _ in answer }
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await delivery.deliver(record, of: pinned, to: bench.tree.appending("big.rpm"))
                }
                #expect(failure?.isTransient == true)
                #expect(try bench.names(in: bench.tree) == [])
            }
        }
    }

    @Test("an href with signs that mean something in an address finds its file; one that leads out is not asked for")
    func hrefs() async throws {
        try await with { bench, repository, server, pinned in
            let delivery = try bench.delivery(["\(server.address)/repo"])
            let record = try repository.record("ed")
            func moved(to href: String, base: String? = nil) -> PackageRecord {
                PackageRecord(
                    nevra: record.nevra, pkgid: record.pkgid, repository: record.repository, location: href, base: base, size: record.size,
                    sourceRPM: nil)
            }
            for name in ["a+b^c~1#?.rpm", "a b.rpm", "ü.rpm", "100%.rpm"] {
                try FileManager.default.copyItem(atPath: repository.file("ed").string, toPath: repository.directory.appending(name).string)
                #expect(try await delivery.deliver(moved(to: name), of: pinned, to: bench.tree.appending("ed.rpm")) == .download, "\(name)")
            }
            for (href, base) in [
                ("../ed.rpm", nil), ("%2e%2e/ed.rpm", nil), ("ed.rpm", "http://localhost:\(server.port)/repo"), ("../../../ed.rpm", nil),
                ("ed.rpm", "http://user:secret@127.0.0.1:\(server.port)/repo"),
            ] {
                let before = server.requests.count
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await delivery.deliver(moved(to: href, base: base), of: pinned, to: bench.tree.appending("none.rpm"))
                }
                #expect(failure?.code == .packageFileUnusable)
                #expect(failure?.message.contains("secret") == false)
                #expect(server.requests.count == before)
            }
        }
    }

    @Test(
        "lengths that cannot be are refused in words",
        arguments: [
            (206, "9223372036854775806/9223372036854775807", Int.max), (206, "1500003/*", Int.max - 1_500_000),
            (206, "/-9223372036854775808", Int.max), (200, "", Int.max),
        ])
    func hugeLengths(status: Int, rest: String, length: Int) async throws {
        try await with { bench, repository, server, pinned in
            server.answer { request in
                guard let range = request.range else { return .cut(after: 1_500_000) }
                // It goes on where the first answer was cut, wherever that was.
                let start = range.dropFirst("bytes=".count)
                return .announce(status, headers: rest.isEmpty ? [] : [("content-range", "bytes \(start)\(rest)")], length: length)
            }
            let failure = await #expect(throws: ComposeFailure.self) {
                try await bench.delivery([server.address]).deliver(
                    repository.record("big"), of: pinned, to: bench.tree.appending("big.rpm"))
            }
            #expect(failure?.code == .limitExceeded, "\(failure?.message ?? "")")
        }
    }

    @Test("a part of a file whose server says a size that cannot be is no part")
    func hugePart() async throws {
        try await Workbench.with { bench in
            try await FileServer.with(bench.sources) { server in
                let transfer = HTTPTransfer(
                    client: bench.client, access: try bench.access([server.address]), limits: Workbench.limits, logger: Workbench.logger)
                let url = try RepositoryURL("\(server.address)/x.rpm")
                for whole in ["9223372036854775807", "-9223372036854775808", "99999999999999999999999", ""] {
                    server.answer { _ in .announce(206, headers: [("content-range", "bytes 5-104/\(whole)")], length: .max) }
                    await #expect(throws: TransferProblem.self) { try await transfer.part(5..<105, of: url) }
                }
            }
        }
    }

    @Test("a file that was saved under its name in an address is found")
    func escapedName() async throws {
        try await with { bench, repository, server, pinned in
            let record = try repository.record("ed")
            try FileManager.default.copyItem(
                atPath: repository.file("ed").string, toPath: repository.directory.appending("ed%2B%2B.rpm").string)
            let moved = PackageRecord(
                nevra: record.nevra, pkgid: record.pkgid, repository: record.repository, location: "ed%2B%2B.rpm", size: record.size,
                sourceRPM: nil)
            #expect(
                try await bench.delivery([server.address]).deliver(moved, of: pinned, to: bench.tree.appending("ed.rpm")) == .download)
        }
    }

    @Test("metadata of an address cannot name a file of this host, and no reason tells anything about one")
    func pathsOfThisHost() async throws {
        try await with { bench, repository, server, pinned in
            let secret = bench.sources.appending("private/key")
            try secret.removingLastComponent().createDirectory()
            try secret.write("a secret of 23 bytes...")
            let checksum = try FileChecksum.of(secret, .sha256)
            let ed = try repository.record("ed")
            for base in ["\(bench.sources)/private", "file://\(bench.sources)/private", "file://localhost\(bench.sources)/private/"] {
                for (size, pkgid) in [(1, ed.pkgid), (23, ed.pkgid), (23, checksum)] {
                    let record = PackageRecord(
                        nevra: ed.nevra, pkgid: pkgid, repository: ed.repository, location: "key", base: base, size: size, sourceRPM: nil)
                    let failure = await #expect(throws: ComposeFailure.self) {
                        try await bench.delivery([server.address]).deliver(record, of: pinned, to: bench.tree.appending("ed.rpm"))
                    }
                    #expect(
                        failure?.message.hasSuffix(
                            "the metadata names a path, and a repository at an address can refer only to addresses.") == true)
                }
                let text = String(decoding: try repository.repomd.contents(), as: UTF8.self)
                server.answer { request in
                    guard request.path.hasSuffix("repomd.xml") else { return .file }
                    return .bytes(Array(text.replacing("<location href", with: "<location xml:base=\"\(base)\" href").utf8))
                }
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await bench.source([server.address]).pinAndFetch(pinned.location)
                }
                #expect(failure?.message.hasSuffix("a repository at an address can refer only to addresses.") == true)
            }
            #expect(try bench.names(in: bench.tree) == [])
        }
    }

    @Test("a canceled delivery ends soon, and nothing stays")
    func canceled() async throws {
        try await with { bench, repository, server, pinned in
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            server.answer { _ in
                ask.yield()
                return .drip(every: .milliseconds(5))
            }
            let delivery = try bench.delivery([server.address])
            let record = try repository.record("big")
            let task = Task { try await delivery.deliver(record, of: pinned, to: bench.tree.appending("big.rpm")) }
            for await _ in asked { break }
            task.cancel()
            let failure = await #expect(throws: ComposeFailure.self) { try await task.value }
            #expect(failure?.code == .canceled)
            #expect(try bench.names(in: bench.tree) == [])
        }
    }
}
