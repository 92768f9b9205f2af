import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import ImageModel
import Testing

@testable import ComposeFrontend

/// `/api/1/rules`.
@Suite struct RuleRouteTests {
    private static let rules = "/api/1/rules/"

    @Test("a rule is there once, is listed, and is removed by its owner or an admin")
    func life() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let me = frontend.by("me")
            let watch = try await frontend.database.store.standingWatch(owner: "me", request: .tag()).id
            let body = #"{"watch": \#(watch), "images": ["team/*", "team/web", "team/*"]}"#
            let rule = try await me.post(body, to: Self.rules).json
            #expect(rule["id"] == .integer(1))
            #expect(rule["watch"] == .integer(watch))
            #expect(rule["images"] == .array([.string("team/*"), .string("team/web")]))
            #expect(rule["builds"]?.count == 0)
            #expect(try await me.post(body, to: Self.rules).json == rule)
            let other = try await frontend.by("other").post(body, to: Self.rules).json
            #expect(other["id"] == .integer(2))
            let based = try await me.post(#"{"base": true, "images": ["team/*"]}"#, to: Self.rules).json
            #expect(based["watch"] == .null)
            let list = try await me.get("\(Self.rules)?owner=me&per_page=1").json
            #expect(list["items"]?[0] == based)
            #expect(list["meta"]?["total"] == .integer(2))

            let refused = try await frontend.request(.delete, "/api/1/rules/1", headers: .by("other"))
            #expect(refused.status == 403)
            #expect(try refused.message == "Not allowed: only me, whose rule 1 is, or an admin can remove it.")
            #expect(try await me.request(.delete, "/api/1/rules/1").json["time_ended"] != .null)
            #expect(try await frontend.request(.delete, "/api/1/rules/2", headers: .by("boss")).status == 200)
            #expect(try await me.get(Self.rules).json["meta"]?["total"] == .integer(1))
            #expect(try await me.get("\(Self.rules)?include_ended=true").json["meta"]?["total"] == .integer(3))
            #expect(try await me.get("/api/1/rules/9").message == "There is no rule 9.")

            let schemas = try #require(try await me.get("/api/1").json["components"]?["schemas"])
            #expect(rule.keys == schemas["Rule"]?["properties"]?.keys)
            #expect(schemas["RuleSubmission"]?["properties"]?.keys == Set(RuleSubmission.CodingKeys.allCases.map(\.rawValue)))
        }
    }

    @Test(
        "a request that makes no sense is explained",
        arguments: [
            ("{}", "images is missing. It must be a list of patterns for names of images, such as [\"team/*\"]."),
            (
                #"{"images": ["a"]}"#,
                "watch is missing. It is the number of the watch that the images follow. Or let them follow their bases with base: true."
            ),
            (#"{"images": ["a"], "watch": 1, "base": true}"#, "watch and base are both there. A rule is for one of them."),
            (#"{"images": ["a"], "watch": 7}"#, "There is no watch 7."),
            (#"{"images": ["a"], "watch": 1}"#, "Watch 1 has ended."),
            (#"{"images": ["a"], "watch": 2}"#, "The composes of watch 2 only refer to their packages"),
            (#"{"image": ["a"]}"#, "image is not known. The members are watch, base, images."),
        ])
    func refused(body: String, message: String) async throws {
        try await FrontendFixture.withImages { frontend in
            let store = frontend.database.store
            _ = try await store.endWatch(try await store.standingWatch(owner: "me", request: .tag()).id)
            var reference = ComposeRequest.tag()
            reference.delivery = .reference
            _ = try await store.standingWatch(owner: "me", request: reference)
            let answer = try await frontend.post(body, to: Self.rules)
            #expect(answer.status == 400)
            #expect(try answer.message?.hasPrefix(message) == true, "\(answer.text)")
            #expect(try await store.rules().total == 0)
        }
    }

    @Test("an account has a bounded number of rules")
    func limit() async throws {
        try await FrontendFixture.withImages { frontend in
            for number in 1...100 {
                #expect(try await frontend.post(#"{"base": true, "images": ["i\#(number)"]}"#, to: Self.rules).status == 200)
            }
            let refused = try await frontend.post(#"{"base": true, "images": ["more"]}"#, to: Self.rules)
            #expect(refused.status == 429)
            #expect(try refused.message == "unknown has 100 rules, which is the most that one account may have. Remove one first.")
            #expect(try await frontend.post(#"{"base": true, "images": ["i1"]}"#, to: Self.rules).status == 200)
        }
    }
}
