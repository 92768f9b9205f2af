import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import ImageModel
import Testing

@testable import ComposeFrontend

/// `/api/1/nodes`, `/api/1/farms` and `/api/1/schedule`.
@Suite struct FarmRouteTests {
    private static let (nodes, farms) = ("/api/1/nodes/", "/api/1/farms/")
    private static let n1 = #"{"name": "n1", "connection": "ssh://builder@arm1.example.org/run/p.sock", "slots": 2, "labels": {"a": "b"}}"#

    @Test("a node is added, changed and removed, and its members are those of its schema")
    func node() async throws {
        try await FrontendFixture.withImages { frontend in
            let made = try await frontend.request(.post, Self.nodes, Self.n1)
            #expect(made.status == 201, "\(made.text)")
            let schema = try await frontend.get("/api/1").json["components"]?["schemas"]?["Node"]
            #expect(try made.json.keys == schema?["properties"]?.keys)
            #expect(try made.json["connection"] == .string("ssh://builder@arm1.example.org/run/p.sock"))
            #expect(try made.json["state"] == .string("new"))
            let again = try await frontend.request(.post, Self.nodes, Self.n1)
            #expect(again.status == 409)
            let changed = try await frontend.request(.patch, Self.nodes + "n1", #"{"weight": 30, "enabled": false}"#)
            #expect(try changed.json["weight"] == .integer(30))
            #expect(try changed.json["slots"] == .integer(2))
            let probe = try await frontend.request(.post, Self.nodes + "n1/probe")
            #expect(try probe.json["awaits_probe"] == .bool(true))
            let prune = try await frontend.request(.post, Self.nodes + "n1/prune", #"{"all": true}"#)
            #expect(try prune.json["awaits_prune"] == .bool(true))
            #expect(try await frontend.request(.delete, Self.nodes + "n1").status == 202)
            let gone = try await frontend.get(Self.nodes + "n1")
            #expect(gone.status == 404)
            #expect(gone.text.contains("There is no node \\\"n1\\\". There is local."), "\(gone.text)")
            #expect(try await frontend.request(.delete, Self.nodes + "local").status == 400)
        }
    }

    @Test("mistakes are refused with what would be right")
    func mistakes() async throws {
        try await FrontendFixture.withImages { frontend in
            for (body, text) in [
                ("{}", "name and connection must be there"),
                (#"{"name": "a b", "connection": "unix:///x"}"#, "cannot be the name of a node"),
                (#"{"name": "local", "connection": "unix:///x"}"#, "The node local is there already."),
                (#"{"name": "a", "connection": "local"}"#, "The node local is there already."),
                (#"{"name": "a", "connection": "http://x"}"#, "is no connection of a node. Use unix:///PATH"),
                (#"{"name": "a", "connection": "ssh://-oProxyCommand=x/y"}"#, "is no connection of a node"),
                (#"{"name": "a", "connection": "unix:///x", "slots": 0}"#, "slots must be between 1 and 1000, not 0."),
                (#"{"name": "a", "connection": "unix:///x", "deliver": "fax"}"#, "deliver is push or pull"),
                (#"{"name": "a", "connection": "unix:///x", "identity": "../etc"}"#, "identity must be the name of a key"),
                (#"{"name": "a", "connection": "unix:///x", "slot": 1}"#, "slot"),
            ] {
                let answer = try await frontend.request(.post, Self.nodes, body)
                #expect(answer.status == 400)
                #expect(answer.text.contains(text), "\(answer.text)")
            }
        }
    }

    @Test("a farm has its nodes, and a mistaken name of a node is answered with the names that there are")
    func farm() async throws {
        try await FrontendFixture.withImages { frontend in
            _ = try await frontend.request(.post, Self.nodes, Self.n1)
            let made = try await frontend.request(.post, Self.farms, #"{"name": "f", "nodes": ["n1", "local"], "default": true}"#)
            #expect(made.status == 201, "\(made.text)")
            #expect(try made.json["default"] == .bool(true))
            let names = try made.json["nodes"]
            #expect(names?[0]?["name"] == .string("local"))
            #expect(names?[1]?["name"] == .string("n1"))
            let wrong = try await frontend.request(.patch, Self.farms + "f", #"{"add": ["n2"]}"#)
            #expect(wrong.status == 400)
            #expect(wrong.text.contains(#"There is no node \"n2\". There is n1, local."#), "\(wrong.text)")
            let changed = try await frontend.request(.patch, Self.farms + "f", #"{"remove": ["n1"], "default": false}"#)
            #expect(try changed.json["nodes"]?[1] == nil)
            #expect(try await frontend.request(.delete, Self.farms + "f").status == 202)
            #expect(try await frontend.get(Self.farms + "f").status == 404)
        }
    }

    @Test("a build names a farm or nodes, and its answer shows them, and why a step waits")
    func builds() async throws {
        try await FrontendFixture.withImages { frontend in
            _ = try await frontend.request(.post, Self.farms, #"{"name": "f", "nodes": ["local"]}"#)
            try await frontend.add("web")
            let wrong = try await frontend.request(.post, "/api/1/images/1/builds", #"{"farm": "g"}"#)
            #expect(wrong.status == 400)
            #expect(wrong.text.contains(#"There is no farm \"g\". There is f."#), "\(wrong.text)")
            #expect(try await frontend.request(.post, "/api/1/images/1/builds", #"{"farm": "f", "nodes": ["local"]}"#).status == 400)
            let build = try await frontend.request(.post, "/api/1/images/1/builds", #"{"farm": "f"}"#)
            #expect(try build.json["farm"] == .string("f"))
            let shown = try await frontend.get("/api/1/builds/1").json
            #expect(
                shown["steps"]?[0]?["state_reason"]
                    == .string(
                        "It waits. No node of the farm f builds linux/amd64. local is lost (No worker is alive that builds images itself.)."
                    ))
        }
    }

    @Test("the schedule names a node for each platform, and the reason")
    func schedule() async throws {
        try await FrontendFixture.withImages { frontend in
            _ = try await frontend.request(.post, Self.nodes, Self.n1)
            let store = frontend.database.store
            let look = NodeLook(probe: .init(native: [try Platform("linux/arm64")]))
            try await store.record(look, at: try await store.node("n1"), next: .seconds(600))
            let all = try await frontend.get("/api/1/schedule").json
            #expect(all["items"]?[0]?["node"] == .string("n1"))
            #expect(all["items"]?[0]?["native"] == .bool(true))
            let asked = try await frontend.get("/api/1/schedule?platforms=linux/amd64,linux/arm64&nodes=n1").json
            #expect(asked["items"]?[0]?["node"] == .null)
            #expect(asked["items"]?[0]?["reason"] == .string("No node builds linux/amd64. n1 builds linux/arm64."))
            #expect(try await frontend.get("/api/1/schedule?farm=g").status == 404)
        }
    }

    @Test("only an admin, or a token of an admin for nodes, changes nodes and sees their addresses")
    func access() async throws {
        try await FrontendFixture.withImages(configure: {
            $0.tokens = TokenService()
            $0.access = RouteIdentityTests.access(asks: true)
        }) { frontend in
            _ = try await frontend.by("admin").request(.post, Self.nodes, Self.n1)
            #expect(try await frontend.get(Self.nodes + "n1").json["connection"] == .null)
            #expect(try await frontend.get(Self.nodes + "n1").json["kind"] == .string("ssh"))
            #expect(
                try await frontend.by("admin").get(Self.nodes + "n1").json["connection"]
                    == .string("ssh://builder@arm1.example.org/run/p.sock"))
        }
    }
}
