import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import ComposeFrontend

/// What can be asked of composes of Koji's files alone.
@Suite struct KojiRequestTests {
    private static let tag = #""source": {"type": "tag", "source": "f26", "sigkeys": ["0b3e5524"]}"#

    private func with(
        allowsReference: Bool = true, _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        try await FrontendFixture.with(
            configure: {
                $0.admission.capabilities = .all
                $0.admission.capabilities.allowsReference = allowsReference
                $0.limits.unsignedWaitSeconds = 600
            }, body)
    }

    @Test("delivery and waiting are stored and shown; without them a compose has its packages and fails at once")
    func accepted() async throws {
        try await with { frontend in
            let plain = try await frontend.post("{\(Self.tag)}").json
            #expect(plain["delivery"] == .string("link"))
            #expect(plain["on_unsigned"] == .string("fail"))
            #expect(plain["unsigned_wait_seconds"] == .null)
            let both = try await frontend.post(#"{\#(Self.tag), "delivery": "reference", "on_unsigned": "wait"}"#).json
            #expect(both["delivery"] == .string("reference"))
            #expect(both["on_unsigned"] == .string("wait"))
            #expect(both["unsigned_wait_seconds"] == .integer(600))
            for (asked, given) in [(60, 60), (86_400, 600)] {
                let compose = try await frontend.post(#"{\#(Self.tag), "on_unsigned": "wait", "unsigned_wait_seconds": \#(asked)}"#).json
                #expect(compose["unsigned_wait_seconds"] == .integer(given))
            }
            let explicit = try await frontend.post(
                #"{"source": {"type": "repo", "source": "/srv/repo"}, "delivery": "link", "on_unsigned": "fail"}"#)
            #expect(explicit.status == 200)
        }
    }

    @Test(
        "what cannot be meant is refused with what would be right",
        arguments: [
            (
                #"{\#(tag), "delivery": "copy"}"#,
                #"delivery is "copy"; it must be link (the compose has its packages) or reference (it says where they are)."#
            ),
            (#"{\#(tag), "delivery": true}"#, "delivery must be a string, not true."),
            (
                #"{"source": {"type": "repo", "source": "/srv/repo"}, "delivery": "reference"}"#,
                "delivery cannot be reference with the source type repo: only composes of tag and build can refer to their packages where they lie in Koji."
            ),
            (
                #"{\#(tag), "delivery": "reference", "results": ["iso"]}"#,
                "delivery cannot be reference with the results repository, iso: an image needs the packages' files."
            ),
            (#"{\#(tag), "on_unsigned": "pray"}"#, #"on_unsigned is "pray"; it must be fail or wait."#),
            (
                #"{"source": {"type": "repo", "source": "/srv/repo", "sigkeys": ["0b3e5524"]}, "on_unsigned": "wait"}"#,
                "on_unsigned cannot be wait with the source type repo: only composes of tag and build wait for signatures in Koji."
            ),
            (
                #"{"source": {"type": "tag", "source": "f26"}, "on_unsigned": "wait"}"#,
                "on_unsigned is wait, but nothing would be waited for: sigkeys names no key."
            ),
            (
                #"{"source": {"type": "tag", "source": "f26", "sigkeys": ["0b3e5524", ""]}, "on_unsigned": "wait"}"#,
                "on_unsigned is wait, but nothing would be waited for: the empty key among sigkeys allows unsigned packages."
            ),
            (
                #"{\#(tag), "unsigned_wait_seconds": 60}"#,
                "unsigned_wait_seconds is for a compose that waits for signatures: on_unsigned must be wait then."
            ),
            (
                #"{"source": {"type": "build"}}"#,
                "source.builds is missing; the source type build needs a list of builds, each as NAME-VERSION-RELEASE."
            ),
            (
                #"{\#(tag), "on_unsigned": "wait", "unsigned_wait_seconds": 0}"#, "unsigned_wait_seconds must be at least 1, not 0."
            ),
        ])
    func refused(body: String, message: String) async throws {
        try await with { frontend in
            let answer = try await frontend.post(body)
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }

    @Test("a server that does not allow references says which setting does, and does not describe them")
    func notAllowed() async throws {
        try await with(allowsReference: false) { frontend in
            let answer = try await frontend.post(#"{\#(Self.tag), "delivery": "reference"}"#)
            #expect(answer.status == 400)
            #expect(answer.text.contains("koji.allow_reference"))
            let properties = try await frontend.get("/api/1/").json["components"]?["schemas"]?["ComposeRequest"]?["properties"]
            #expect(properties?["delivery"]?["enum"] == .array([.string("link")]))
            #expect(properties?["unsigned_wait_seconds"]?["default"] == .integer(600))
        }
    }

    @Test("a compose that refers is renewed as one that refers")
    func renewed() async throws {
        try await with { frontend in
            let first = try await frontend.post(#"{\#(Self.tag), "delivery": "reference", "on_unsigned": "wait"}"#).json
            let id = try #require(first["id"]?.integer)
            _ = try await frontend.database.pool.query(
                "UPDATE composes SET state = 4, state_reason = 'x', time_done = now() WHERE id = \(id)")
            let again = try await frontend.request(.patch, "/api/1/composes/\(id)", "{}").json
            #expect(again["delivery"] == .string("reference"))
            #expect(again["on_unsigned"] == .string("wait"))
        }
    }
}
