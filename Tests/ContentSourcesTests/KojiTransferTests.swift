import ComposeModel
import Compression
import Foundation
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Koji's packages over HTTP")
struct KojiTransferTests {
    /// The tree at an address, with a large package in it.
    private func with(
        limits: SourceLimits = Workbench.limits,
        _ body: (Workbench, KojiTree, KojiPackage, FileServer, KojiPackageSource) async throws -> Void
    ) async throws {
        try await Workbench.with(limits: limits) { bench in
            let tree = try await KojiTree(bench.sources.appending("topdir"))
            let place = "packages/big/1.0/1/noarch"
            let repository = try await TestRepository(bench.directory.appending("built"))
            try tree.topdir.appending(place).createDirectory()
            let file = tree.topdir.appending("\(place)/big-1.0-1.noarch.rpm")
            try FileManager.default.copyItem(atPath: repository.file("big").string, toPath: file.string)
            let header = try RPMHeaderContent(reading: try file.contents(), named: "big")
            let big = try KojiPackage(
                nevra: header.nevra, build: "big-1.0-1", place: try .build(name: "big", version: "1.0", release: "1"),
                payloadHash: header.payloadHash?.hex)
            try await FileServer.with(bench.sources) { server in
                try await body(
                    bench, tree, big, server,
                    bench.koji(RepositoryLocation("\(server.address)/topdir"), prefixes: [server.address], limits: limits))
            }
        }
    }

    private func failure(_ source: KojiPackageSource, _ packages: [KojiPackage]) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) { try await source.metadata(of: packages) }
    }

    @Test("the metadata over HTTP is that of the directory, from one short request each, and the second time from none")
    func same() async throws {
        try await with { bench, tree, big, server, source in
            let packages = tree.packages + [big]
            let remote = try await source.metadata(of: packages)
            #expect(server.requests.count == packages.count)
            #expect(server.requests.allSatisfy { $0.range == "bytes=0-16383" })
            #expect(server.bytesSent <= packages.count * 16384)
            let local = try await bench.koji(.directory(tree.topdir), cache: "local", headers: "others").metadata(of: packages)
            #expect(local.metadata.id == remote.metadata.id)
            for document in ["primary.xml", "filelists.xml"] {
                #expect(
                    try local.metadata.directory.appending(document).contents() == remote.metadata.directory.appending(document).contents())
            }

            _ = try await source.metadata(of: packages)
            _ = try await source.metadata(of: tree.packages)
            #expect(server.requests.count == packages.count)
        }
    }

    @Test("a header that is larger than the first guess takes a second request, for the rest of it and no more")
    func largeHeader() async throws {
        try await with { bench, tree, _, server, source in
            let spec = bench.directory.appending("wide.spec")
            let changes = (0..<9).map {
                "* Mon Jan 0\($0 + 1) 2018 A <a@b> - 1\n- \(UUID().uuidString) \(String(repeating: "long ", count: 800))"
            }
            try spec.write(
                """
                Name: wide
                Version: 1
                Release: 1
                Summary: A package with a large header
                License: MIT
                BuildArch: noarch
                %description
                A package.
                %files
                %changelog
                \(changes.reversed().joined(separator: "\n"))
                """)
            try await execute("rpmbuild", ["-bb", "--quiet", "--define", "_topdir \(bench.directory)/wide", spec.string])
            let place = tree.topdir.appending("packages/wide/1/1/noarch")
            try place.createDirectory()
            try FileManager.default.copyItem(
                atPath: "\(bench.directory)/wide/RPMS/noarch/wide-1-1.noarch.rpm", toPath: place.appending("wide-1-1.noarch.rpm").string)
            let bytes = try place.appending("wide-1-1.noarch.rpm").contents()
            let header = try RPMHeaderContent(reading: bytes, named: "wide")
            let wide = try KojiPackage(
                nevra: header.nevra, build: "wide-1-1", place: try .build(name: "wide", version: "1", release: "1"),
                payloadHash: header.payloadHash?.hex)
            guard case .complete(let extent) = try RPMHeaderExtent.find(in: bytes, named: "wide") else { return }
            #expect(extent.range.upperBound > 30_000)
            for hasRange in [true, false] {
                server.answer { _ in hasRange ? .file : .wholeFile }
                let before = server.requests.count
                let source = try bench.koji(
                    RepositoryLocation("\(server.address)/topdir"), prefixes: [server.address], cache: "\(hasRange)", headers: "\(hasRange)"
                )
                _ = try await source.metadata(of: [wide])
                #expect(
                    server.requests.dropFirst(before).map(\.range) == ["bytes=0-16383", "bytes=16384-\(extent.range.upperBound - 1)"])
            }
        }
    }

    @Test("a server that ignores Range is cut off after the header")
    func withoutRange() async throws {
        try await with { _, tree, big, server, source in
            // What comes after that never comes: whoever waits for it does not end.
            server.answer { _ in .stall(after: 20_000) }
            _ = try await source.metadata(of: [big])
            let choice = try await source.copies(of: [big], signedBy: [""])
            #expect(choice.copies.map(\.size) == [Int(try tree.file(big).stat().size)])
            #expect(server.requests.map(\.range) == ["bytes=0-16383", "bytes=0-111"])
        }
    }

    @Test("without the hub's word, a checksum is computed from the file, once")
    func checksum() async throws {
        try await with { _, tree, big, server, source in
            let copies = try await source.copies(of: [big], signedBy: [""]).copies
            let chosen = try await source.metadata(ofChosen: copies)
            #expect(chosen.copies.values.first?.sha256 == (try FileChecksum.of(tree.file(big), .sha256)))
            let sent = server.bytesSent
            #expect(sent > 3_000_000)
            _ = try await source.metadata(ofChosen: try await source.copies(of: [big], signedBy: [""]).copies)
            #expect(server.bytesSent == sent + 112)
        }
    }

    @Test("with the hub's word, only the start of a file is read")
    func givenChecksum() async throws {
        try await with { _, tree, big, server, source in
            var copies = try await source.copies(of: [big], signedBy: [""]).copies
            copies[0].sha256 = try FileChecksum.of(tree.file(big), .sha256)
            let chosen = try await source.metadata(ofChosen: copies)
            #expect(server.requests.map(\.range) == ["bytes=0-111", "bytes=0-16383"])
            #expect(try MetadataIndex(opening: chosen.repository.metadata).count == 1)
        }
    }

    @Test("a busy or broken answer is tried again", arguments: [FileServer.Answer.status(503), .cut(after: 50), .status(429)])
    func transient(first: FileServer.Answer) async throws {
        try await with { _, tree, _, server, source in
            server.answer { $0.number == 1 ? first : .file }
            _ = try await source.metadata(of: tree.packages)
            #expect(server.requests.count == 2 * tree.packages.count)
        }
    }

    @Test("a server that stays away is a failure that may pass")
    func away() async throws {
        try await with { _, tree, _, server, source in
            server.answer { _ in .status(500) }
            let failure = await failure(source, tree.packages)
            #expect(failure?.code == .sourceUnreachable)
            #expect(failure?.isTransient == true)
        }
    }

    @Test("what was read before a failure is not read again")
    func resumed() async throws {
        try await with { _, tree, _, server, source in
            let last = try tree.package("ed-1.14.3-1.fc26.x86_64")
            server.answer { $0.path.hasSuffix(last.path) ? .status(404) : .file }
            let failure = await failure(source, tree.packages)
            #expect(failure?.message.contains("ed-1.14.3-1.fc26.x86_64 of the build ed-1.14.3-1.fc26") == true)
            server.answer { _ in .file }
            let before = server.requests.count
            _ = try await source.metadata(of: tree.packages)
            #expect(server.requests.dropFirst(before).map(\.path) == ["/topdir/" + last.path])
        }
    }

    @Test("a page of HTML, an empty answer, a short file and a refusal are named")
    func notAPackage() async throws {
        try await with { _, tree, _, server, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            let short = Array(try tree.file(package).contents().prefix(5000))
            for (answer, reason) in [
                (FileServer.Answer.bytes(Array("<html>not here</html>".utf8)), "it is not an RPM package"),
                (.bytes([]), "it ends inside of its header, after 0 bytes"),
                (.status(416), "it ends inside of its header, after 0 bytes"),
                (.bytes(short), "it ends inside of its header, after 5000 bytes"),
                (.status(403), "the server answered with the status 403"),
                (.status(302, headers: [("location", "http://elsewhere.example/x")]), "which is not among the addresses"),
            ] {
                server.answer { _ in answer }
                let failure = await failure(source, [package])
                #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "none")")
                #expect(failure?.message.contains("ed-1.14.3-1.fc26.x86_64 of the build ed-1.14.3-1.fc26") == true)
                #expect(failure?.code == .packageFileUnusable)
            }
        }
    }
}
