import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// Requests that are refused for something else than the body of a new compose, for which see ``RejectionTests``.
@Suite struct MalformedRequestTests {
    struct Malformed: Sendable {
        var method = HTTPRequest.Method.get
        var path: String
        var body: String?
        var headers: HTTPFields = [:]
        var status: Int
        var error: String
        var message: String
    }

    private static let repo = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#

    /// What is wrong with a renewal of compose 1.
    private static func renewal(_ body: String, _ message: String) -> Malformed {
        Malformed(method: .patch, path: "/api/1/composes/1", body: body, status: 400, error: "Bad Request", message: message)
    }

    private static func key(_ values: [String], _ message: String) -> Malformed {
        var headers = HTTPFields()
        headers[values: IdempotencyKey.fieldName] = values
        return Malformed(
            method: .post, path: "/api/1/composes/", body: repo, headers: headers, status: 400, error: "Bad Request", message: message)
    }

    private static func wrongMethod(_ method: HTTPRequest.Method, _ path: String, _ allow: String) -> Malformed {
        Malformed(
            method: method, path: path, status: 405, error: "Method Not Allowed",
            message: "\(method.rawValue) is not possible here; these methods are: \(allow).")
    }

    static let requests: [Malformed] = [
        renewal("[]", "The body must be a JSON object, not a list."),
        renewal(#"{"seconds_to_live": "long"}"#, #"seconds_to_live must be an integer, not the string "long"."#),
        renewal(#"{"seconds_to_live": []}"#, "seconds_to_live must be an integer, not a list."),
        renewal(#"{"seconds-to-live": -1}"#, "seconds-to-live must be at least 1; it is a number of seconds."),
        renewal(#"{"label": 1}"#, "label must be a string, not the number 1."),
        renewal(
            #"{"label": "rc"}"#,
            #"label is "rc"; it must be a milestone and two numbers, such as RC-1.0. The milestones are: EA, DevelPhaseExit, "#
                + "InternalAlpha, Alpha, InternalSnapshot, Beta, Snapshot, RC, Update, SecurityFix."),
        renewal(
            #"{"sigkeys": ["xyz"]}"#,
            #"sigkeys[0] is "xyz"; a key id has 8 or 16 hexadecimal digits, and "" allows unsigned packages."#),
        renewal(#"{"source": "x"}"#, #"source must be an object, not the string "x"."#),
        renewal(#"{"source": {"builds": "ed-1-1"}}"#, #"source.builds must be a list of strings, not the string "ed-1-1"."#),
        renewal(
            #"{"source": {"builds": ["ed"]}}"#,
            #"source.builds[0] is "ed"; it must be a build as NAME-VERSION-RELEASE, such as ed-1.20-3.fc42."#),
        renewal(
            #"{"source": {"modules": ["ed"]}}"#,
            #"source.modules[0] is "ed"; it must be a module as N:S, N:S:V or N:S:V:C, such as nodejs:22."#),
        renewal(
            #"{"why": "it's late"}"#,
            "why contains ', which is not allowed there. Letters, digits and any of - / _ . : # + ? $ ~ ^ , and the space are allowed."),
        key([""], "Idempotency-Key is empty; it must be a name for this one request, such as a UUID."),
        key(["a", "b"], "Idempotency-Key is there 2 times; a request has one key."),
        key(["é"], #"Idempotency-Key must be printable ASCII characters, such as a UUID; it is "é"."#),
        key(["a\tb"], #"Idempotency-Key must be printable ASCII characters, such as a UUID; it is "aU+0009b"."#),
        key([String(repeating: "k", count: 256)], "Idempotency-Key has 256 characters; 255 are possible."),
        Malformed(
            path: "/api/1/composes/one", status: 404, error: "Not Found", message: "There is no compose one."),
        Malformed(
            method: .patch, path: "/api/1/composes/one", body: "{}", status: 404, error: "Not Found", message: "There is no compose one."),
        Malformed(method: .delete, path: "/api/1/composes/1.0", status: 404, error: "Not Found", message: "There is no compose 1.0."),
        Malformed(path: "/api/1/composes/٣", status: 404, error: "Not Found", message: "There is no compose ٣."),
        Malformed(
            method: .post, path: "/api/1/compose/", body: repo, status: 404, error: "Not Found",
            message: #"There is nothing at "/api/1/compose/"; the composes are at /api/1/composes/."#),
        wrongMethod(.put, "/api/1/composes/1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        wrongMethod(.trace, "/api/1/composes/", "GET, HEAD, POST, OPTIONS"),
        wrongMethod(.query, "/api/1/composes/", "GET, HEAD, POST, OPTIONS"),
        wrongMethod(.post, "/api/1/", "GET, HEAD, OPTIONS"),
        wrongMethod(.delete, "/odcs/1/composes", "GET, HEAD, POST, OPTIONS"),
        Malformed(
            method: .post, path: "/api/1/composes/", body: String(repeating: " ", count: (1 << 20) + 1), status: 413,
            error: "Content Too Large", message: "The body is too large; at most 1048576 bytes are read."),
    ]

    @Test("each is told what was wrong and what would be right, and nothing is stored")
    func requests() async throws {
        try await FrontendFixture.with { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "me").id
            _ = try await frontend.database.store.delete(id, by: Actor(name: "me", isAdmin: false))
            let before = try await frontend.database.store.compose(id)
            for malformed in Self.requests {
                let answer = try await frontend.request(malformed.method, malformed.path, malformed.body, headers: malformed.headers)
                let expected = JSONValue.object([
                    "status": .integer(malformed.status), "error": .string(malformed.error), "message": .string(malformed.message),
                ])
                #expect(answer.status == malformed.status, "\(malformed.method) \(malformed.path) \(malformed.body ?? "")")
                let document = try answer.json
                #expect(document == expected)
            }
            #expect(try await frontend.composesStored == 1)
            #expect(try await frontend.database.store.compose(id) == before)
        }
    }

    @Test("an architecture that is not among those possible is told the nearest of them, ten at the most")
    func arches() async throws {
        let known = [
            "i386", "i486", "i586", "i686", "x86_64", "ppc64", "ppc64le", "s390", "s390x", "aarch64", "armv7hl", "riscv64", "mips64el",
        ]
        try await FrontendFixture.with(configure: { $0.limits.allowedArches = known }) { frontend in
            let wrong = try await frontend.post(
                #"{"source": {"type": "repo", "source": "/srv/repo"}, "arches": ["s390x", "s390x", "x86-64"]}"#)
            #expect(wrong.status == 400)
            let message = try wrong.message
            #expect(
                message == #"arches[2] is "x86-64", which is no architecture that this server composes for; "#
                    + "the nearest of the 13 that are possible: x86_64, i686, ppc64, i386, i486, i586, aarch64, riscv64, ppc64le, s390.")
            let multilib = try await frontend.post(
                #"{"source": {"type": "repo", "source": "/srv/repo"}, "multilib_arches": ["amd64"]}"#)
            #expect(try multilib.message?.hasPrefix(#"multilib_arches[0] is "amd64", which is no architecture"#) == true)
            #expect(try await frontend.composesStored == 0)
            #expect(
                try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}, "arches": ["riscv64"]}"#).status == 200)
        }
    }

    @Test("a few possible architectures are all told")
    func fewArches() async throws {
        try await FrontendFixture.with(configure: { $0.limits.allowedArches = ["x86_64", "aarch64"] }) { frontend in
            let wrong = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}, "arches": ["arm64"]}"#)
            let message = try wrong.message
            #expect(
                message
                    == #"arches[0] is "arm64", which is no architecture that this server composes for; these are possible: aarch64, x86_64."#
            )
        }
    }
}
