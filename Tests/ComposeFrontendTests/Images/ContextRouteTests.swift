import ComposeTestKit
import Foundation
import HTTPTypes
import HummingbirdTesting
import ImageModel
import ImageTestKit
import Logging
import Registry
import Testing

@testable import ComposeFrontend

/// `/api/1/contexts`, with a real registry.
@Suite struct ContextRouteTests {
    /// Runs `body` with a frontend whose registry runs.
    private static func with(
        configure: @escaping @Sendable (inout FrontendConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FrontendFixture, TestRegistry) async throws -> Void
    ) async throws {
        try await TestRegistry.with { registry in
            try await FrontendFixture.withImages(registry: "\(registry.host)/team", configure: configure) { frontend in
                try await body(frontend, registry)
            }
        }
    }

    private static func image(_ digest: ImageDigest) -> String {
        #"{"repository": "web", "definition": {"source": {"archive": "\#(digest)"}, "platforms": ["linux/amd64"]}}"#
    }

    @Test("a context is kept in the registry as an artifact, and an image can be built from it")
    func upload() async throws {
        try await Self.with { frontend, registry in
            let bytes = SmallImage.tar("Containerfile", Array("FROM scratch\nCOPY . /\n".utf8))
            let answer = try await frontend.upload(bytes)
            let digest = ImageDigest(of: bytes)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(
                try answer.json == .object(["digest": .string(digest.description), "bytes": .integer(bytes.count)]))
            #expect(try await frontend.upload(bytes).text == answer.text)

            let client = RegistryClient(RegistryConfiguration(isLoopbackInsecure: true), logger: .silent)
            let repository = try registry.repository("team/odcs/contexts")
            let document = try await client.manifest(ImageReference(repository, tag: ImageTag("sha256-\(digest.hex)")))
            guard case .manifest(let manifest) = document.content else {
                Issue.record("It is an index.")
                return
            }
            #expect(manifest.artifactType == "application/vnd.odcs.context")
            #expect(try await client.blob(manifest.layers[0], of: repository) == bytes)
            await client.shutdown()

            let image = try await frontend.post(Self.image(digest), to: "/api/1/images/")
            #expect(image.status == 200, "\(image.text)")
            #expect(try image.json["definition"]?["source"] == .object(["archive": .string(digest.description)]))
        }
    }

    @Test("the Containerfile of a context is checked when an image is added")
    func rules() async throws {
        try await Self.with { frontend, _ in
            let refused = SmallImage.tar("./Dockerfile", Array("FROM scratch\nRUN --security=insecure true\n".utf8))
            #expect(try await frontend.upload(refused).status == 200)
            let image = try await frontend.post(Self.image(ImageDigest(of: refused)), to: "/api/1/images/")
            #expect(image.status == 400)
            #expect(
                try image.message
                    == "The Containerfile of the context cannot be built. line 2: RUN --security=insecure is not allowed: no command may "
                    + "leave its sandbox.")
            let without = SmallImage.tar("hello.txt", [])
            #expect(try await frontend.upload(without).status == 200)
            let digest = ImageDigest(of: without)
            #expect(
                try await frontend.post(Self.image(digest), to: "/api/1/images/").message
                    == "The context \(digest) has no Containerfile at its top. Its name must be Containerfile or Dockerfile.")
            let unknown = try ImageDigest.numbered(1)
            #expect(
                try await frontend.post(Self.image(unknown), to: "/api/1/images/").message
                    == "There is no context \(unknown). Upload it to /api/1/contexts/ first.")
        }
    }

    @Test(
        "a context that leads out of its folder, or is no archive, is refused, and nothing is kept",
        arguments: [
            ("../evil", UInt8(ascii: "0"), "", #"The context has the entry "../evil", whose path has a name ..."#),
            ("/etc/passwd", UInt8(ascii: "0"), "", #"The context has the entry "/etc/passwd", whose path is absolute."#),
            ("dev", UInt8(ascii: "3"), "", #"The context has the entry "dev", which is a device."#),
            ("pipe", UInt8(ascii: "6"), "", #"The context has the entry "pipe", which is a pipe."#),
            ("hard", UInt8(ascii: "1"), "../../etc/shadow", #"The context has the entry "hard", whose link has a name ..."#),
            (
                "a/soft", UInt8(ascii: "2"), "../../etc",
                #"The context has the entry "a/soft", which is a symbolic link that leads out of the context."#
            ),
            (
                "Containerfile", UInt8(ascii: "2"), "/etc/passwd",
                #"The context has the entry "Containerfile", which is not a file, as a Containerfile must be."#
            ),
        ] as [(String, UInt8, String, String)])
    func hostile(path: String, kind: UInt8, link: String, message: String) async throws {
        try await FrontendFixture.withImages { frontend in
            let answer = try await frontend.upload(Self.tar(path, kind: kind, link: link))
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }

    @Test("a link inside of the context is accepted, and an absolute one means the top of the context")
    func links() async throws {
        try await Self.with { frontend, _ async throws in
            for (path, link) in [("a/b/soft", "../../c"), ("soft", "/usr/lib/x")] {
                #expect(try await frontend.upload(Self.tar(path, kind: UInt8(ascii: "2"), link: link)).status == 200)
            }
        }
    }

    @Test("an empty body, bytes that are no archive, and an archive that is cut are refused")
    func noArchive() async throws {
        try await FrontendFixture.withImages { frontend async throws in
            #expect(
                try await frontend.upload([]).message
                    == "The body is empty. It must be a tar archive, which may be compressed with gzip or zstd.")
            #expect(try await frontend.upload(Array(repeating: 0x41, count: 600)).status == 400)
            let whole = SmallImage.tar("Containerfile", Array(repeating: 0x41, count: 4000))
            #expect(
                try await frontend.upload(Array(whole.prefix(1500))).message == "The tar archive ends in the middle of an entry.")
        }
    }

    @Test("a context that is larger than the limit is refused, whether or not its length is announced")
    func tooLarge() async throws {
        try await FrontendFixture.withImages(.live, configure: { $0.images?.contextBytes = 1000 }) { frontend in
            let answer = try await frontend.upload(SmallImage.tar("Containerfile", Array(repeating: 0x41, count: 4000)))
            #expect(answer.status == 413)
            #expect(try answer.message == "The body is too large; at most 1000 bytes are read.")
        }
    }

    @Test("a registry that does not answer is named, and the client may try again")
    func away() async throws {
        try await FrontendFixture.withImages(registry: "127.0.0.1:1/team") { frontend in
            let answer = try await frontend.upload(SmallImage.tar("Containerfile", Array("FROM scratch".utf8)))
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] == "30")
            let message = try #require(try answer.message)
            #expect(message.hasPrefix("The registry could not be used: "))
        }
    }

    /// Returns a tar with one entry without content.
    static func tar(_ path: String, kind: UInt8, link: String) -> [UInt8] {
        var bytes = SmallImage.tar(path, [])
        bytes[156] = kind
        bytes.replaceSubrange(157..<(157 + link.utf8.count), with: link.utf8)
        bytes.replaceSubrange(148..<156, with: "        ".utf8)
        let sum = String(bytes.prefix(512).reduce(0) { $0 + Int($1) }, radix: 8)
        bytes.replaceSubrange(148..<156, with: (String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8)
        return bytes
    }
}
