import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import HummingbirdTesting
import Identity
import ImageModel
import ImageTestKit
import Logging
import NIOCore
import Postgres
import Registry
import Testing

@testable import ComposeFrontend

/// The limits of what senders upload: build contexts, and archives of components. The registry is real.
@Suite struct UploadLimitTests {
    /// An archive of some 100,000 bytes.
    private static func archive(_ letter: UInt8) -> [UInt8] { SmallImage.tar("x", Array(repeating: letter, count: 100_000)) }

    private static let component = "/component?component=asyn&tag=R1&architecture=rocky9"

    /// Runs `body` with a frontend that lets an account upload `megabytes` within 24 hours, and knows the
    /// senders of `RouteIdentityTests`.
    private static func with(
        megabytes: Int?, steps: Int? = nil,
        _ body: @escaping @Sendable (FrontendFixture, TestRegistry) async throws -> Void
    ) async throws {
        var access = RouteIdentityTests.access(asks: true)
        for index in access.rules.clients.indices {
            access.rules.clients[index].limits.uploadMegabytes = megabytes
            access.rules.clients[index].limits.buildSteps = steps
        }
        let limited = access
        try await TestRegistry.with { registry in
            try await FrontendFixture.withImages(registry: "\(registry.host)/team", configure: { $0.access = limited }) { frontend in
                try await body(frontend, registry)
            }
        }
    }

    private static func send(
        _ frontend: FrontendFixture, _ method: HTTPRequest.Method, _ uri: String, _ bytes: [UInt8], by sender: String? = nil
    ) async throws -> Answer {
        var headers = sender.map { HTTPFields.by($0) } ?? [:]
        headers[.contentType] = "application/x-tar"
        return try await frontend.client.execute(uri: uri, method: method, headers: headers, body: ByteBuffer(bytes: bytes)) { Answer($0) }
    }

    /// Whether the registry has an archive.
    private static func isKept(_ archive: [UInt8], in registry: TestRegistry) async throws -> Bool {
        let client = RegistryClient(RegistryConfiguration(isLoopbackInsecure: true), logger: .silent)
        let reference = ImageReference(
            try registry.repository("team/odcs/contexts"), tag: try ImageTag("sha256-\(ImageDigest(of: archive).hex)"))
        do throws(RegistryFailure) {
            _ = try await client.manifest(reference)
            await client.shutdown()
            return true
        } catch {
            await client.shutdown()
            #expect(error.code == .notFound, "\(error)")
            return false
        }
    }

    @Test("an account uploads as many megabytes as its rule allows within 24 hours, and an equal archive counts once")
    func account() async throws {
        try await Self.with(megabytes: 1) { frontend, registry in
            func upload(_ letter: UInt8, by sender: String = "client") async throws -> Answer {
                try await Self.send(frontend, .post, "/api/1/contexts/", Self.archive(letter), by: sender)
            }
            for letter in UInt8(ascii: "a")...UInt8(ascii: "i") { #expect(try await upload(letter).status == 200) }
            let refused = try await upload(UInt8(ascii: "z"))
            #expect(refused.status == 429)
            #expect(
                try refused.message
                    == "The archives that account client uploads within 24 hours may have 1 MB, and with this one they would have more. "
                    + "Upload less, or ask again when the earlier ones are a day old.")
            let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
            #expect((1...86_400).contains(seconds))
            #expect(try await Self.isKept(Self.archive(UInt8(ascii: "z")), in: registry) == false)
            // Equal bytes, and those of another account.
            #expect(try await upload(UInt8(ascii: "a")).status == 200)
            #expect(try await upload(UInt8(ascii: "z"), by: "other").status == 200)
            // The first archives are a day old.
            _ = try await frontend.database.pool.query(
                "UPDATE uploads SET created_at = created_at - interval '25 hours' WHERE sender = 'account client'")
            #expect(try await upload(UInt8(ascii: "y")).status == 200)
        }
    }

    @Test("a sender without an account has the limit of its address")
    func stranger() async throws {
        try await TestRegistry.with { registry in
            try await FrontendFixture.withImages(
                .live, registry: "\(registry.host)/team", configure: { $0.callers = CallerLimits(uploadMegabytes: 1) }
            ) { frontend in
                for letter in UInt8(ascii: "a")...UInt8(ascii: "i") {
                    #expect(try await Self.send(frontend, .post, "/api/1/contexts/", Self.archive(letter)).status == 200)
                }
                let refused = try await Self.send(frontend, .post, "/api/1/contexts/", Self.archive(UInt8(ascii: "z")))
                #expect(refused.status == 429)
                #expect(try refused.message?.contains("127.0.0.1 uploads within 24 hours may have 1 MB") == true, "\(refused.text)")
            }
        }
    }

    @Test("an archive of a component is kept only if its build is accepted: within the limits, and by the owner")
    func component() async throws {
        let archives = (Self.archive(UInt8(ascii: "a")), Self.archive(UInt8(ascii: "b")), Self.archive(UInt8(ascii: "c")))
        try await Self.with(megabytes: nil, steps: 2) { frontend, registry in
            let accepted = try await Self.send(frontend, .put, Self.component, archives.0, by: "client")
            #expect(accepted.status == 202, "\(accepted.text)")
            #expect(try await Self.isKept(archives.0, in: registry))
            // The limit of steps is reached. An equal request joins the open build.
            let refused = try await Self.send(frontend, .put, Self.component, archives.1, by: "client")
            #expect(refused.status == 429 && refused.text.contains("steps of image builds of client wait"), "\(refused.text)")
            #expect(try await Self.isKept(archives.1, in: registry) == false)
            #expect(try await Self.send(frontend, .put, Self.component, archives.0, by: "client").json["build"] == .integer(1))
            // Another account may not change what client has defined.
            let stranger = try await Self.send(frontend, .put, Self.component, archives.2, by: "other")
            #expect(stranger.status == 403, "\(stranger.text)")
            #expect(try await Self.isKept(archives.2, in: registry) == false)
        }
        try await Self.with(megabytes: 1) { (frontend, registry) async throws in
            let large = SmallImage.tar("x", Array(repeating: UInt8(ascii: "l"), count: 1_000_000))
            #expect(try await Self.send(frontend, .put, Self.component, large, by: "client").status == 413)
            #expect(try await Self.isKept(large, in: registry) == false)
            #expect(try await frontend.database.store.build(1) == nil)
        }
    }

    @Test("records of uploads are deleted with those of old requests")
    func old() async throws {
        try await TestDatabase.with { database in
            let limit = UploadLimit(sender: "192.0.2.7", most: 10)
            try await database.store.recordUpload(of: .numbered(1), bytes: 10, within: limit)
            await #expect(throws: UploadLimitReached.self) {
                try await database.store.recordUpload(of: .numbered(2), bytes: 1, within: limit)
            }
            #expect(try await database.store.forgetSubmissions(olderThan: .seconds(24 * 3600)) == 0)
            #expect(try await database.store.forgetSubmissions(olderThan: .zero) == 1)
        }
    }
}
