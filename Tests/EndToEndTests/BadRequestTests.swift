import AsyncHTTPClient
import ComposeModel
import ComposeTestKit
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// Requests that are refused at once: each with its status and the whole sentence that says why, and no compose comes of any.
@Suite(.sharedService(""), .timeLimit(.minutes(5)))
struct BadRequestTests {
    /// Posts a body and sees it refused.
    private func refuse(
        _ body: Data, to path: String = "/api/1/composes/", with status: Int = 400, because message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let server = try SharedService.current.server
        let answer = try await server.http(.POST, path, body: .bytes(body))
        #expect(answer.status == status, sourceLocation: sourceLocation)
        #expect(answer.headers.first(name: "Content-Type") == "application/json", sourceLocation: sourceLocation)
        #expect(try answer.message == message, sourceLocation: sourceLocation)
        try await expectNothingComposed(sourceLocation)
    }

    /// No test of this suite gets a compose.
    private func expectNothingComposed(_ sourceLocation: SourceLocation) async throws {
        let composes = try await SharedService.current.service.database.pool.query("SELECT count(*) AS n FROM composes")
        #expect(try composes[0].decode(Int.self, "n") == 0, sourceLocation: sourceLocation)
    }

    private func repo(_ members: String = "", source: String = "") -> Data {
        let source = source.isEmpty ? "\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\", \"packages\": [\"ed\"]" : source
        return Data("{\"source\": {\(source)}\(members.isEmpty ? "" : ", ")\(members)}".utf8)
    }

    // MARK: Sources

    private static let notAllowed =
        "this service reads only repositories in local directories that its configuration lists, and this directory is not among them. "
        + "Otherwise its operator can allow it."

    @Test("a directory outside of the allowed ones is refused, however it is written", arguments: ["/etc", "/", "/etc//./", "file:///etc"])
    func outside(path: String) async throws {
        let shown = path == "/" ? "/" : "/etc"
        try await refuse(
            repo(source: "\"type\": \"repo\", \"source\": \"\(path)\""),
            because: "The repository \(shown) may not be read: \(Self.notAllowed)")
    }

    @Test("a step upwards out of an allowed directory is refused")
    func stepUpwards() async throws {
        let path = "\(Checkout.testsRepo)/../../etc"
        try await refuse(
            repo(source: "\"type\": \"repo\", \"source\": \"\(path)\""),
            because: "The repository \(path) has a step upwards (..) in its path; write the path without it.")
    }

    @Test("a lookaside repository outside of the allowed directories is refused too")
    func lookasideOutside() async throws {
        try await refuse(repo("\"lookaside_repos\": [\"/etc\"]"), because: "The repository /etc may not be read: \(Self.notAllowed)")
    }

    @Test("an address is refused where the configuration allows none, and so is one of another kind")
    func addresses() async throws {
        try await refuse(
            repo(source: "\"type\": \"repo\", \"source\": \"http://169.254.169.254/latest\""),
            because:
                "The repository http://169.254.169.254/latest may not be read: the configuration of this service allows no addresses but those of its own composes, "
                + "\(try SharedService.current.server.url)/composes/odcs-…. "
                + "A repository that also lies on this service's disks may be given by its path. Otherwise its operator can allow it."
        )
        try await refuse(
            repo(source: "\"type\": \"repo\", \"source\": \"ftp://example.com/\""),
            because: "A repository's address in the request cannot be used: it is neither http:// nor https://.")
    }

    @Test("an architecture that is none is refused, with the nearest that are")
    func unknownArchitecture() async throws {
        let server = try SharedService.current.server
        let answer = try await server.http(.POST, "/api/1/composes/", body: .bytes(repo("\"arches\": [\"x86_46\"]")))
        #expect(answer.status == 400)
        let message = try answer.message
        #expect(message.hasPrefix("arches[0] is \"x86_46\", which is no architecture that this server composes for; "))
        #expect(message.contains(" that are possible: x86_64, "))
        try await expectNothingComposed(#_sourceLocation)
    }

    // MARK: Time to live

    @Test("a time to live that cannot be meant is refused", arguments: ["0", "-1", "\"-5\""])
    func noTimeToLive(seconds: String) async throws {
        for name in ["seconds_to_live", "seconds-to-live"] {
            try await refuse(repo("\"\(name)\": \(seconds)"), because: "\(name) must be at least 1; it is a number of seconds.")
        }
    }

    @Test("a time to live longer than any life is refused", arguments: ["1000000000000", "1e300", "99999999999999999999999999"])
    func endlessTimeToLive(seconds: String) async throws {
        try await refuse(
            repo("\"seconds_to_live\": \(seconds)"),
            because: "seconds_to_live is too large. A compose lives at most 259200 seconds here.")
    }

    // MARK: Bodies

    private static let tooLarge = "The body is too large; at most 1048576 bytes are read."

    @Test("a body of 100 MB that says its length is refused, and none of it is kept")
    func largeBody() async throws {
        let server = try SharedService.current.server
        let answer = try await server.http(
            .POST, "/api/1/composes/", body: .bytes(ByteBuffer(repeating: UInt8(ascii: " "), count: 100 << 20)))
        #expect(answer.status == 413)
        #expect(try answer.message == Self.tooLarge)
        try await expectNothingComposed(#_sourceLocation)
    }

    @Test("a body of 100 MB in chunks is refused as well")
    func largeChunks() async throws {
        let server = try SharedService.current.server
        let chunks = (0..<100).lazy.map { _ in ByteBuffer(repeating: UInt8(ascii: " "), count: 1 << 20) }
        let answer = try await server.http(
            .POST, "/api/1/composes/",
            body: .stream(
                AsyncStream { continuation in
                    for chunk in chunks { continuation.yield(chunk) }
                    continuation.finish()
                }, length: .unknown))
        #expect(answer.status == 413)
        #expect(try answer.message == Self.tooLarge)
        try await expectNothingComposed(#_sourceLocation)
    }

    @Test("bytes that are not UTF-8 are refused")
    func invalidUTF8() async throws {
        try await refuse(Data("{\"source\": \"".utf8) + [0xC3, 0x28] + Data("\"}".utf8), because: "The body is not text in UTF-8.")
    }

    @Test("a zero character is refused wherever it stands")
    func zeroCharacter() async throws {
        try await refuse(
            repo(source: #""type": "repo", "source": "/srv/\u0000""#),
            because: "source.source contains U+0000, which is not allowed there. Letters, digits and any of "
                + "- / _ . : # + ? $ ~ ^ , and the space are allowed.")
        try await refuse(
            repo(source: #""type": "repo", "source": "/srv", "packages": ["e\u0000d"]"#),
            because: "source.packages[0] is \"eU+0000d\" and contains U+0000; each entry must be one word.")
        try await refuse(
            repo(#""label": "\u0000""#),
            because: "label contains U+0000, which is not allowed there. Letters, digits and any of "
                + "- / _ . : # + ? $ ~ ^ , and the space are allowed.")
    }

    @Test("more packages than anybody asks for are refused")
    func manyPackages() async throws {
        let packages = Array(repeating: "\"ed\"", count: 10_001).joined(separator: ",")
        try await refuse(
            repo(source: "\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\", \"packages\": [\(packages)]"),
            because: "source.packages has 10001 entries; 10000 are possible.")
    }

    @Test("a package name without end is refused, and not repeated")
    func longName() async throws {
        try await refuse(
            repo(
                source:
                    "\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\", \"packages\": [\"\(String(repeating: "e", count: 100_000))\"]"
            ),
            because: "source.packages[0] has 100000 characters; 1024 are possible.")
    }

    @Test("JSON that is nested without end is refused", arguments: ["[", "{\"a\":"])
    func deepNesting(opening: String) async throws {
        let answer = try await SharedService.current.server.post(String(repeating: opening, count: 100_000))
        #expect(answer.status == 400)
        #expect(try answer.message.hasPrefix("The body is not JSON: "))
        try await expectNothingComposed(#_sourceLocation)
    }

    @Test("no body, no JSON and no object are three different mistakes")
    func noObject() async throws {
        try await refuse(
            Data(),
            because: "The body is empty; it must be a JSON object such as {\"source\": {\"type\": \"repo\", \"source\": \"https://…\"}}.")
        try await refuse(Data("[]".utf8), because: "The body must be a JSON object, not a list.")
        let answer = try await SharedService.current.server.post("{'source'}")
        #expect(answer.status == 400)
        #expect(try answer.message.hasPrefix("The body is not JSON: "))
    }
}
