import ComposeModel
import Compression
import ForeignText
import Foundation
import Logging
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Other composes")
struct PungiComposeTests {
    private static let ed = ["ed-1.20-3.x86_64.rpm", "ed-debuginfo-1.20-3.x86_64.rpm", "ed-1.20-3.src.rpm", "ed-words-1.3-1.noarch.rpm"]

    private static func failure(_ body: () async throws -> Void) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) { try await body() }
    }

    private func nevra(_ file: String) throws -> NEVRA { try #require(NEVRA(file)) }

    @Test("its repositories and the packages that it lists, over HTTP, and only for the architecture that was asked for")
    func overHTTP() async throws {
        try await Workbench.with { bench in
            _ = try await TestCompose(
                bench.sources.appending("one"), ["x86_64": Self.ed, "aarch64": ["libed-1.0-1.aarch64.rpm"]],
                unlisted: ["ed-words-1.3-1.noarch.rpm"])
            try await FileServer.with(bench.sources) { server in
                let composes = PungiComposeSource(repositories: try bench.source([server.address]))
                let address = "\(server.address)/one/compose/Server"
                let pins = try await composes.pin([RepositoryLocation(address + "/")], arches: ["x86_64"])
                let content = try await composes.content(of: pins, arches: ["x86_64"])
                #expect(pins.map(\.location.description) == [address])
                #expect(
                    pins[0].trees.map { [$0.repository, $0.debug, $0.source].map { $0?.location.description } } == [
                        [address + "/x86_64/os", address + "/x86_64/debug/tree", address + "/source/tree"]
                    ])
                #expect(content.repositories.count == 3)
                #expect(content.notes == [])
                let listing = try #require(content.listings.first)
                #expect(listing.name == address && listing.arch == "x86_64")
                #expect(listing.repositories == content.repositories.map(\.metadata.id))
                #expect(listing.packages == Set(try Self.ed.dropLast().map(nevra)))
                #expect(!server.requests.contains { $0.path.contains("aarch64") })
            }
        }
    }

    @Test("composeinfo.json says where the repositories are")
    func composeInfo() async throws {
        try await Workbench.with { bench in
            let compose = try await TestCompose(
                bench.sources.appending("one"), ["x86_64": Self.ed], layout: ["repository": "Everything/100%25/x86_64"])
            let source = PungiComposeSource(repositories: try bench.source())
            let pin = try #require(try await source.pin([.directory(compose.server)], arches: ["x86_64"]).first)
            #expect(pin.trees[0].repository.location == .directory(compose.directory.appending("compose/Everything/100%25/x86_64")))
            for path in ["../../other", "/etc", ""] {
                try compose.metadata.appending("composeinfo.json").write(
                    #"{"payload": {"variants": {"Server": {"paths": {"repository": {"x86_64": "\#(path)"}}}}}}"#)
                let failure = await Self.failure { _ = try await source.pin([.directory(compose.server)], arches: ["x86_64"]) }
                #expect(failure?.code == .metadataCorrupt)
                #expect(failure?.message.contains("the path \"\(path)\" in it leads out of the compose") == true)
            }
        }
    }

    @Test("a pin survives being written down, and holds when the compose is gone")
    func recorded() async throws {
        try await Workbench.with { bench in
            let compose = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            let source = PungiComposeSource(repositories: try bench.source())
            let pins = try await source.pin([.directory(compose.server)], arches: ["x86_64"])
            let content = try await source.content(of: pins, arches: ["x86_64"])
            let written = try JSONEncoder().encode(pins.map(\.record))
            let recorded = try JSONDecoder().decode([PungiComposePin].self, from: written).map { try PinnedPungiCompose(recorded: $0) }
            #expect(recorded.map(\.record) == pins.map(\.record))
            #expect(recorded[0].rpms == (try FileChecksum.of(compose.list, .sha256)))
            try FileManager.default.removeItem(atPath: compose.directory.string)
            #expect(try await source.content(of: recorded, arches: ["x86_64"]) == content)

            let elsewhere = PungiComposeSource(repositories: try bench.source(cache: bench.directory.appending("cache2")))
            let failure = await Self.failure { _ = try await elsewhere.content(of: recorded, arches: ["x86_64"]) }
            #expect(failure?.code == .sourceNotUsable)
        }
    }

    @Test("a list that has changed since it was written down is told from the one that was")
    func changed() async throws {
        try await Workbench.with { bench in
            let compose = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            let pin = try #require(
                try await PungiComposeSource(repositories: bench.source()).pin([.directory(compose.server)], arches: ["x86_64"]).first)
            try compose.list.write(try compose.list.contents() + Array(" ".utf8))
            let elsewhere = PungiComposeSource(repositories: try bench.source(cache: bench.directory.appending("cache2")))
            let recorded = try PinnedPungiCompose(recorded: pin.record)
            let failure = await Self.failure { _ = try await elsewhere.content(of: [recorded], arches: ["x86_64"]) }
            #expect(
                failure?.message == "The compose \(compose.server) no longer has the package list of the time when it was first used "
                    + "(rpms.json \(pin.rpms)). A new compose takes it as it is now.")
        }
    }

    @Test("several are one, and a repository that two of them have is there once")
    func several() async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            let two = try await TestCompose(bench.sources.appending("two"), ["x86_64": ["ed-doc-1.20-3.noarch.rpm"]])
            let source = PungiComposeSource(repositories: try bench.source())
            let locations: [RepositoryLocation] = [.directory(two.server), .directory(one.server), .directory(one.server)]
            let pins = try await source.pin(locations, arches: ["x86_64"])
            let content = try await source.content(of: pins, arches: ["x86_64"])
            #expect(content.listings.map(\.name) == [two.server, one.server, one.server].map(\.string))
            #expect(Set(content.repositories.map(\.metadata.id)).count == content.repositories.count)
        }
    }

    @Test("an architecture that one of them lacks is noted; that none has any of them is a failure that names those there are")
    func architectures() async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            let two = try await TestCompose(bench.sources.appending("two"), ["aarch64": ["libed-1.0-1.aarch64.rpm"]])
            let source = PungiComposeSource(repositories: try bench.source())
            let pins = try await source.pin([.directory(one.server), .directory(two.server)], arches: ["x86_64", "s390x"])
            let content = try await source.content(of: pins, arches: ["x86_64", "s390x"])
            #expect(
                content.notes == [
                    "The compose \(one.server) has nothing for s390x, only for x86_64.",
                    "The compose \(two.server) has nothing for x86_64, s390x, only for aarch64.",
                ])
            let failure = await Self.failure {
                _ = try await source.pin([.directory(one.server), .directory(two.server)], arches: ["s390x"])
            }
            #expect(failure?.message == "The 2 composes have nothing for s390x. There is aarch64, x86_64.")
        }
    }

    @Test("debugging information that is not published is left out, and that is noted")
    func withoutDebug() async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed], hasDebug: false)
            let source = PungiComposeSource(repositories: try bench.source())
            let content = try await source.content(of: source.pin([.directory(one.server)], arches: ["x86_64"]), arches: ["x86_64"])
            #expect(!content.listings[0].packages.contains { $0.isDebug })
            #expect(
                content.notes == [
                    "The compose \(one.server) has no debug repository for x86_64, so the 1 debug packages that it lists are left out."
                ])
        }
    }

    @Test("a variant that there is not: those there are")
    func unknownVariant() async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            let source = PungiComposeSource(repositories: try bench.source())
            let place = one.directory.appending("compose/Serv")
            let failure = await Self.failure { _ = try await source.pin([.directory(place)], arches: ["x86_64"]) }
            #expect(
                failure?.message
                    == "The compose \(place) cannot be used: its package list has no variant called Serv. It has Server, Empty; the address ends with the variant's name."
            )
        }
    }

    @Test("a compose that is not finished", arguments: ["STARTED", "DOOMED", "TERMINATED"])
    func unfinished(status: String) async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed], status: status)
            let source = PungiComposeSource(repositories: try bench.source())
            let failure = await Self.failure { _ = try await source.pin([.directory(one.server)], arches: ["x86_64"]) }
            #expect(
                failure?.message
                    == "The compose \(one.server) is not finished: its STATUS is \(status). Only composes whose STATUS is FINISHED or FINISHED_INCOMPLETE can be used."
            )
        }
    }

    @Test("a compose without a STATUS, and one that is finished but incomplete, can be used", arguments: [nil, "FINISHED_INCOMPLETE"])
    func usable(status: String?) async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed], status: status)
            let source = PungiComposeSource(repositories: try bench.source())
            #expect(try await source.pin([.directory(one.server)], arches: ["x86_64"]).count == 1)
        }
    }

    @Test(
        "a list that is none",
        arguments: [
            ("{\"payload\": {\"rpms\": {\"Server\": {\"x86_64\"", "it is not JSON, or not all of it came"),
            ("", "it is not JSON, or not all of it came"),
            ("[]", "the document is of the wrong type"),
            ("{\"payload\": {}}", "payload > rpms is missing"),
            ("{\"payload\": {\"rpms\": {\"Server\": {\"x86_64\": []}}}}", "payload > rpms > Server > x86_64 is of the wrong type"),
            (
                "{\"payload\": {\"rpms\": {\"Server\": {\"x86_64\": {\"ed-0:1-1.src\": {\"ed\": {}}}}}}}",
                "of payload > rpms > Server > x86_64 > ed-0:1-1.src > ed, it is not NAME-EPOCH:VERSION-RELEASE.ARCH"
            ),
            (String(repeating: "[", count: 100_000), "it is not JSON, or not all of it came"),
        ])
    func malformed(text: String, why: String) async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            try one.list.write(text)
            let source = PungiComposeSource(repositories: try bench.source())
            let failure = await Self.failure { _ = try await source.pin([.directory(one.server)], arches: ["x86_64"]) }
            #expect(failure?.code == .metadataCorrupt)
            #expect(
                failure?.message
                    == "The compose \(one.server)'s metadata/rpms.json cannot be used: \(why). The maintainer of the compose has to look into it."
            )
        }
    }

    @Test("a list that is too large, and one that ends too early, over HTTP")
    func transfer() async throws {
        var limits = Workbench.limits
        limits.metadataBytes = 100_000
        try await Workbench.with(limits: limits) { bench in
            let one = try await TestCompose(bench.sources.appending("one"), ["x86_64": Self.ed])
            try await FileServer.with(bench.sources) { server in
                let source = PungiComposeSource(repositories: try bench.source([server.address], limits: limits))
                let location = try RepositoryLocation("\(server.address)/one/compose/Server")
                server.answer { $0.path.hasSuffix("rpms.json") ? .cut(after: 10) : .file }
                let cut = await Self.failure { _ = try await source.pin([location], arches: ["x86_64"]) }
                #expect(cut?.isTransient == true)
                server.answer { $0.path.hasSuffix("rpms.json") ? .status(500) : .file }
                let away = await Self.failure { _ = try await source.pin([location], arches: ["x86_64"]) }
                #expect(away?.code == .sourceUnreachable && away?.isTransient == true)
                server.answer { _ in .file }
                try one.list.write(String(repeating: " ", count: 100_001))
                let large = await Self.failure { _ = try await source.pin([location], arches: ["x86_64"]) }
                #expect(
                    large?.message
                        == "The compose \(location) cannot be used: its metadata/rpms.json has more than 100000 bytes, the most that is read."
                )
            }
        }
    }

    @Test("places that may not be read, and that hold no compose")
    func places() async throws {
        try await Workbench.with { bench in
            let one = try await TestCompose(bench.outside.appending("one"), ["x86_64": Self.ed])
            let source = PungiComposeSource(repositories: try bench.source())
            for location in [
                RepositoryLocation.directory(one.server), .directory("/"), try RepositoryLocation("http://127.0.0.1:1/compose/Server"),
            ] {
                let failure = await Self.failure { _ = try await source.pin([location], arches: ["x86_64"]) }
                #expect(failure?.code == .sourceNotUsable)
            }
            let nothing = bench.sources.appending("compose/Server")
            try nothing.createDirectory()
            let failure = await Self.failure { _ = try await source.pin([.directory(nothing)], arches: ["x86_64"]) }
            #expect(
                failure?.message == "There is no metadata/rpms.json beside \(nothing): is it the place of a variant of a finished compose, "
                    + "such as …/compose/Server? Of this service's own composes that is what they have as result_repo.")
            // The variant alone is allowed, and its metadata is not.
            let narrow = RepositorySource(
                access: try SourceAccess(allowedRoots: [one.server], allowedURLPrefixes: []), cacheDirectory: bench.cache,
                httpClient: bench.client, threadPool: bench.threadPool, logger: .init(label: "test"))
            let refused = await Self.failure {
                _ = try await PungiComposeSource(repositories: narrow).pin([.directory(one.server)], arches: ["x86_64"])
            }
            #expect(refused?.message.contains("may not be read") == true)
        }
    }
}

@Suite("JSON of strangers")
struct ForeignJSONTests {
    @Test(
        "a key of absurd length is refused before anything hashes it, and a long value is not",
        arguments: [
            (#"{"a": 1}"#, true),
            ("{\"" + String(repeating: "\u{301}\u{323}", count: 100_000) + "\" : 1}", false),
            ("{\"a\": \"" + String(repeating: "x", count: 100_000) + "\", \"b\": 2}", true),
            (
                "{\"a\\\"b\": [\"" + String(repeating: "x", count: 2000) + "\"], \"c:d\": {\"" + String(repeating: "y", count: 2000)
                    + "\":1}}", false
            ),
        ])
    func keys(text: String, isRead: Bool) throws {
        #expect((ForeignJSON.bounds.excess(of: Array(text.utf8)) == nil) == isRead)
        guard !isRead else { return }
        let error = #expect(throws: DecodingError.self) { try ForeignJSON.decode([String: Int].self, from: Array(text.utf8)) }
        #expect(error?.finding == "a key cannot be read: it is longer than 1024 bytes")
    }
}
