import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import ImageModel
import Testing

@testable import ComposeFrontend

/// `/api/1/images/{id}/builds` and `/api/1/builds`.
@Suite struct BuildRouteTests {
    private static let builds = "/api/1/images/1/builds"

    @Test("a build has the definition of its image as it was, a step for each platform, and the list")
    func submit() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            let answer = try await frontend.request(.post, Self.builds)
            #expect(answer.status == 200)
            let build = try answer.json
            #expect(build["image"] == .integer(1))
            #expect(build["repository"] == .string("registry.example.org/team/web"))
            #expect(build["state_name"] == .string("wait"))
            #expect(build["digest"] == .null)
            #expect(build["date_tag"]?.string?.wholeMatch(of: /20[0-9]{6}/) != nil)
            #expect(build["steps"]?.count == 3)
            #expect(build["steps"]?[1]?["platform"] == .string("linux/arm64"))
            #expect(
                build["steps"]?[1]?["log"] == .string("https://odcs.example.com/api/1/builds/1/log?platform=linux%2Farm64"))
            #expect(build["steps"]?[2]?["platform"] == .null)
            #expect(build["steps"]?[2]?["log"] == .null)
            #expect(build["steps"]?[2]?["blocked_by"] == .integer(2))
            _ = try await frontend.request(.patch, "/api/1/images/1", #"{"definition": {"update": true}}"#)
            // The reasons why steps wait are shown only here. No worker runs in this test.
            let shown = try await frontend.get("/api/1/builds/1").json
            for place in 0..<2 { #expect(shown["steps"]?[place]?["state_reason"]?.string != nil) }
            #expect(shown["definition"] == build["definition"] && shown["steps"]?.count == 3)
            #expect(try await frontend.get("/api/1/builds/7").message == "There is no build 7.")
            #expect(try await frontend.get("/api/1/builds/7?wait=60").message == "There is no build 7.")
            #expect(try await frontend.get("/api/1/builds/1?wait=soon").status == 400)
            // A build that has ended is answered at once.
            #expect(try await frontend.request(.delete, "/api/1/builds/1").status == 202)
            #expect(try await frontend.get("/api/1/builds/1?wait=60").json["state_name"] == .string("failed"))
        }
    }

    @Test("a request can have a part of the platforms, other values of arguments, a tag and a priority")
    func parts() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add(
                "web", #"{"source": {"containerfile": "FROM scratch"}, "platforms": ["amd64", "arm64"], "arguments": {"A": "1", "B": "1"}}"#
            )
            let build = try await frontend.post(
                #"{"platforms": ["x86_64"], "arguments": {"B": "2"}, "date_tag": "v1", "priority": 5, "moves_latest": false}"#,
                to: Self.builds
            ).json
            #expect(build["steps"]?.count == 2)
            #expect(build["definition"]?["arguments"] == .object(["A": .string("1"), "B": .string("2")]))
            #expect(build["definition"]?["moves_latest"] == .bool(false))
            #expect(build["date_tag"] == .string("v1"))
            #expect(build["priority"] == .integer(5))
            let second = try await frontend.post(#"{"date_tag": "v1"}"#, to: Self.builds).json
            #expect(second["date_tag"] == .string("v1.2"))
            #expect(second["waits_for"] == .array([.integer(1)]))
        }
    }

    @Test(
        "a request with a mistake is refused, and the sentence names it",
        arguments: [
            (#"[]"#, "The body must be a JSON object, not a list."),
            (
                #"{"platform": "amd64"}"#,
                "platform is not known. The members are definition, platforms, arguments, composes, priority, date_tag, moves_latest, farm, nodes."
            ),
            (
                #"{"platforms": ["s390x"]}"#,
                "platforms has linux/s390x, which the definition of the image does not have. It has linux/amd64, linux/arm64."
            ),
            (#"{"composes": [7]}"#, "composes: there is no compose 7."),
            (#"{"composes": ["7"]}"#, #"composes[0] must be an integer, not the string "7"."#),
            (#"{"composes": [1]}"#, "composes: compose 1 is in state wait. It must be done."),
            (#"{"priority": 101}"#, "priority is 101. It must be from -100 to 100."),
            (#"{"date_tag": "latest"}"#, #"date_tag cannot be "latest". It must be the tag of one build, such as 20261129."#),
            (
                #"{"date_tag": ".x"}"#,
                #"date_tag: ".x" is not a tag. It must have 1 to 128 letters, digits, _, . and -, and must not begin with . or -."#
            ),
        ] as [(String, String)])
    func mistakes(body: String, message: String) async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            let answer = try await frontend.post(body, to: Self.builds)
            #expect(answer.status == 400)
            #expect(try answer.message == message)
            #expect(try await frontend.database.store.list(BuildQuery()).total == 0)
        }
    }

    @Test("a build can install the packages of composes that are done")
    func composes() async throws {
        try await FrontendFixture.withImages { frontend in
            let store = frontend.database.store
            let compose = try await store.submit(.repo(), owner: "me").id
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            _ = try await store.settle(lease, as: .pinned(.repo()), source: "/srv/repo", reason: { _ in "same" })
            _ = try await store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in }
            try await frontend.add("web")
            let build = try await frontend.post(#"{"composes": [\#(compose)]}"#, to: Self.builds)
            #expect(try build.json["composes"] == .array([.integer(compose)]))
        }
    }

    @Test("a request that is sent again with its key makes no second build, and the key is of no other request")
    func key() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            try await frontend.add("web")
            let key = HTTPField.Name("Idempotency-Key")!
            let first = try await frontend.request(.post, Self.builds, "{}", headers: [key: "k"])
            let again = try await frontend.request(.post, Self.builds, "{}", headers: [key: "k"])
            #expect(try again.json["id"] == first.json["id"])
            let other = try await frontend.request(.post, Self.builds, #"{"platforms": ["amd64"]}"#, headers: [key: "k"])
            #expect(other.status == 422)
            #expect(
                try other.message
                    == #"The Idempotency-Key "k" is that of another request, which made build 1. A new request needs a key of its own."#)
            let theirs = try await frontend.request(.post, Self.builds, "{}", headers: [key: "k", .authorization: "Bearer other"])
            #expect(try theirs.json["id"] == .integer(2))
            #expect(try await frontend.database.store.forgetSubmissions(olderThan: .zero) == 2)
            #expect(try await frontend.request(.post, Self.builds, "{}", headers: [key: "k"]).json["id"] == .integer(3))
        }
    }

    @Test("a request with a definition that is sent again with its key does not change the image back")
    func keyWithDefinition() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            try await frontend.add("web")
            let key = HTTPField.Name("Idempotency-Key")!
            func body(_ text: String) -> String {
                #"{"definition": {"source": {"containerfile": "\#(text)"}, "platforms": ["amd64"]}}"#
            }
            func source() async throws -> JSONValue? { try await frontend.get("/api/1/images/1").json["definition"]?["source"] }
            let first = try await frontend.request(.post, Self.builds, body("FROM scratch"), headers: [key: "k"])
            #expect(first.status == 200, "\(first.text)")
            _ = try await frontend.request(.post, Self.builds, body("FROM scratch\\nCOPY . /"))
            let later = try await source()
            let again = try await frontend.request(.post, Self.builds, body("FROM scratch"), headers: [key: "k"])
            #expect(try again.json["id"] == first.json["id"])
            #expect(try await source() == later)
            let refused = try await frontend.request(.post, Self.builds, body("FROM scratch"), headers: .by("other"))
            #expect(refused.status == 403)
            #expect(
                try refused.message == "Not allowed: only the owner of registry.example.org/team/web or an admin can change it.")
            #expect(try await source() == later)
        }
    }

    @Test("its owner or an admin can cancel a build that has not ended, and only an admin can ask for priority")
    func cancel() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            try await frontend.add("web")
            _ = try await frontend.request(.post, Self.builds)
            let refused = try await frontend.request(.delete, "/api/1/builds/1", headers: .by("other"))
            #expect(refused.status == 403)
            #expect(try refused.message == "Not allowed: only me, the owner of build 1, or an admin can cancel it.")
            let canceled = try await frontend.request(.delete, "/api/1/builds/1")
            #expect(canceled.status == 202)
            #expect(try canceled.message == "Build 1 has been canceled.")
            let build = try await frontend.get("/api/1/builds/1").json
            #expect(build["state_name"] == .string("failed"))
            #expect(build["failure"]?["code"] == .string("canceled"))
            let again = try await frontend.request(.delete, "/api/1/builds/1")
            #expect(again.status == 400)
            #expect(
                try again.message == "Build 1 is in state failed already. One that waits or is being built can be canceled.")
            #expect(try await frontend.request(.delete, "/api/1/builds/8").status == 404)
            let urgent = try await frontend.post(#"{"priority": 1}"#, to: Self.builds)
            #expect(urgent.status == 403)
            #expect(try urgent.message == "Not allowed: only an admin can ask for a priority above 0.")
        }
    }

    @Test("the list has the newest build first, with filters")
    func list() async throws {
        try await FrontendFixture.withImages { frontend in
            for name in ["web", "base"] { try await frontend.add(name) }
            for image in [1, 2, 1] { _ = try await frontend.request(.post, "/api/1/images/\(image)/builds") }
            _ = try await frontend.request(.delete, "/api/1/builds/1")
            func ids(_ query: String) async throws -> [Int] {
                guard case .array(let items)? = try await frontend.get("/api/1/builds/?\(query)").json["items"] else { return [] }
                return items.compactMap { $0["id"]?.integer }
            }
            #expect(try await ids("") == [3, 2, 1])
            #expect(try await ids("image=1") == [3, 1])
            #expect(try await ids("state=failed") == [1])
            #expect(try await ids("state=0&image=1") == [3])
            #expect(try await ids("owner=nobody") == [])
            #expect(try await ids("rebuild=1") == [])
            #expect(try await ids("per_page=1&page=2") == [2])
            #expect(
                try await frontend.get("/api/1/builds/?state=x").message
                    == #"state cannot be "x". Use one of these: 0 or wait, 1 or building, 2 or done, 3 or removed, 4 or failed."#)
        }
    }

    @Test("the log of a platform is served with ranges, and nothing else is served there")
    func log() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            _ = try await frontend.request(.post, Self.builds)
            let path = "/api/1/builds/1/log?platform=linux/arm64"
            let none = try await frontend.get(path)
            #expect(none.status == 404)
            #expect(try none.message == "Build 1 has no log for linux/arm64 yet, or no longer.")
            try frontend.write("STEP 1/2\nSTEP 2/2\n", to: "builds/1/linux-arm64.log")
            let all = try await frontend.get(path)
            #expect(all.text == "STEP 1/2\nSTEP 2/2\n")
            #expect(all.headers[.contentType] == "text/plain")
            let rest = try await frontend.get(path, headers: [.range: "bytes=9-"])
            #expect(rest.status == 206)
            #expect(rest.text == "STEP 2/2\n")
            let unnamed = try await frontend.get("/api/1/builds/1/log")
            #expect(unnamed.status == 400)
            #expect(
                try unnamed.message == "platform is missing. Build 1 has a log for each of linux/amd64, linux/arm64.")
            let other = try await frontend.get("/api/1/builds/1/log?platform=s390x")
            #expect(other.status == 404)
            #expect(try other.message == "Build 1 has nothing for linux/s390x. It has linux/amd64, linux/arm64.")
            #expect(try await frontend.get("/composes/builds/1/linux-arm64.log").status == 404)
        }
    }
}
