import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import ImageModel
import Postgres
import Testing

@testable import ComposeFrontend

/// `/api/1/images`: adding, showing, changing and removing images.
@Suite struct ImageRouteTests {
    @Test("without a registry, every route says that the server builds no images")
    func off() async throws {
        try await FrontendFixture.with { frontend in
            for (method, path) in [
                (.get, "images"), (.post, "images"), (.get, "images/1"), (.patch, "images/1"), (.delete, "images/1"),
                (.get, "images/1/contents"), (.get, "images/1/diff"), (.post, "images/1/builds"), (.get, "builds"), (.get, "builds/1"),
                (.delete, "builds/1"), (.get, "builds/1/log"), (.post, "contexts"),
            ] as [(HTTPRequest.Method, String)] {
                let answer = try await frontend.request(method, "/api/1/\(path)")
                #expect(answer.status == 404, "\(method) \(path)")
                #expect(
                    try answer.message == "This server builds no images: the setting images.registry is missing in its configuration.")
            }
            #expect(try await frontend.get("/api/1/about/").json["images"] == nil)
        }
    }

    @Test("an image is added below the registry of the service, and shown as it was added")
    func add() async throws {
        try await FrontendFixture.withImages { frontend in
            let image = try await frontend.add("web")
            #expect(image["repository"] == .string("registry.example.org/team/web"))
            #expect(image["owner"] == .string("unknown"))
            #expect(image["definition"]?["platforms"] == .array([.string("linux/amd64"), .string("linux/arm64")]))
            #expect(image["definition"]?["source"] == .object(["containerfile": .string("FROM scratch\nCOPY . /\n")]))
            #expect(image["definition"]?["network"] == .string("none"))
            #expect(image["definition"]?["moves_latest"] == .bool(true))
            #expect(image["time_removed"] == .null)
            #expect(image["latest_build"] == .null)
            #expect(try await frontend.get("/api/1/images/1").json == image)
            #expect(try await frontend.get("/api/1/images/9").message == "There is no image 9.")
        }
    }

    @Test("the same name once more changes the definition, and only its owner or an admin may do that")
    func owner() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            let first = try await frontend.add("web")
            let other = #"{"source": {"containerfile": "FROM scratch"}, "platforms": ["linux/amd64"]}"#
            let second = try await frontend.add("web", other)
            #expect(second["id"] == first["id"])
            #expect(second["definition"]?["platforms"]?.count == 1)
            let body = #"{"repository": "web", "definition": \#(other)}"#
            let refused = try await frontend.request(.post, "/api/1/images", body, headers: .by("other"))
            #expect(refused.status == 403)
            #expect(try refused.message == "Not allowed: only the owner of registry.example.org/team/web or an admin can change it.")
            #expect(try await frontend.request(.post, "/api/1/images", body, headers: .by("boss")).status == 200)
            for method in [HTTPRequest.Method.patch, .delete] {
                let refused = try await frontend.request(method, "/api/1/images/1", "{}", headers: .by("other"))
                #expect(refused.status == 403)
                #expect(try refused.message == "Not allowed: only me, the owner of image 1, or an admin can change it.")
            }
        }
    }

    @Test("PATCH changes the members that it names, and the others stay")
    func change() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            let answer = try await frontend.request(
                .patch, "/api/1/images/1", #"{"definition": {"update": true, "arguments": {"VERSION": "2"}, "moves_latest": false}}"#)
            #expect(answer.status == 200)
            let definition = try #require(try await frontend.get("/api/1/images/1").json["definition"])
            #expect(definition["update"] == .bool(true))
            #expect(definition["moves_latest"] == .bool(false))
            #expect(definition["arguments"] == .object(["VERSION": .string("2")]))
            #expect(definition["platforms"]?.count == 2)
            let empty = try await frontend.request(.patch, "/api/1/images/1")
            #expect(empty.status == 400)
        }
    }

    @Test("a removed image stays, is in no list, and cannot be built")
    func remove() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            let removed = try await frontend.request(.delete, "/api/1/images/1")
            #expect(removed.status == 200)
            #expect(try removed.json["time_removed"]?.string != nil)
            #expect(try await frontend.request(.delete, "/api/1/images/1").json == removed.json)
            #expect(try await frontend.get("/api/1/images/1").json == removed.json)
            #expect(try await frontend.get("/api/1/images/").json["items"] == .array([]))
            let build = try await frontend.request(.post, "/api/1/images/1/builds")
            #expect(build.status == 404)
            #expect(try build.message == "Image 1 was removed. Add registry.example.org/team/web again to build it.")
            #expect(try await frontend.add("web")["id"] == .integer(2))
        }
    }

    @Test("the list is in order of names, has filters, and shows manifests, tags and the newest build")
    func list() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            for name in ["web", "base", "tools/one"] { try await frontend.add(name) }
            try await frontend.add("app", headers: .by("other"))
            func names(_ query: String) async throws -> [String] {
                guard case .array(let items)? = try await frontend.get("/api/1/images/?\(query)").json["items"] else { return [] }
                return items.compactMap { $0["repository"]?.string }.map { String($0.dropFirst("registry.example.org/team/".count)) }
            }
            #expect(try await names("") == ["app", "base", "tools/one", "web"])
            #expect(try await names("owner=other") == ["app"])
            #expect(try await names("repository=web") == ["web"])
            #expect(try await names("repository=registry.example.org/team/web&repository=base") == ["base", "web"])
            #expect(try await names("repository=t*") == ["tools/one"])
            #expect(try await names("repository=we_") == [])
            #expect(try await names("per_page=1&page=2") == ["base"])
            #expect(try await names("contents=unknown") == [])

            _ = try await frontend.request(.post, "/api/1/images/1/builds")
            try await frontend.contents(.unknown("It is an ndb."), of: 1, digest: .numbered(7))
            #expect(try await names("contents=unknown") == ["web"])
            let web = try #require(try await frontend.get("/api/1/images/?repository=web").json["items"]?[0])
            #expect(
                try web["manifests"]
                    == .array([
                        .object([
                            "platform": .string("linux/amd64"), "digest": .string(ImageDigest.numbered(7).description),
                            "contents": .string("unknown"), "problem": .string("It is an ndb."),
                        ])
                    ]))
            #expect(web["tags"]?[0]?["tag"] == .string("latest"))
            #expect(web["tags"]?[0]?["build"] == .null)
            #expect(
                web["latest_build"] == .object(["id": .integer(1), "state": .integer(0), "state_name": .string("wait")]))
        }
    }

    @Test("a build with a definition of its own keeps it, and only those who may change the image can send one")
    func definitionOfBuild() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let mine = frontend.by("me")
            try await mine.add("web")
            func body(_ text: String) -> String {
                #"{"definition": {"source": {"containerfile": "FROM scratch\nCOPY \#(text) /\n"}, "platforms": ["linux/amd64"]}}"#
            }
            func source(_ document: JSONValue?) -> String? { document?["definition"]?["source"]?["containerfile"]?.string }
            let first = try await mine.request(.post, "/api/1/images/1/builds", body("a"))
            #expect(first.status == 200, "\(first.text)")
            let second = try await mine.request(.post, "/api/1/images/1/builds", body("b"))
            #expect(try source(second.json) == "FROM scratch\nCOPY b /\n")
            #expect(try await source(frontend.get("/api/1/builds/1").json) == "FROM scratch\nCOPY a /\n")
            #expect(try await source(frontend.get("/api/1/images/1").json) == "FROM scratch\nCOPY b /\n")
            let other = try await frontend.by("other").request(.post, "/api/1/images/1/builds", body("c"))
            #expect(other.status == 403)
            #expect(try await source(frontend.get("/api/1/images/1").json) == "FROM scratch\nCOPY b /\n")
            let wrong = try await mine.request(.post, "/api/1/images/1/builds", #"{"definition": {"source": {}}}"#)
            #expect(wrong.status == 400)
        }
    }

    @Test("about names the registry, and everything that an instruction can reach")
    func about() async throws {
        try await FrontendFixture.withImages(configure: { $0.images?.allowsHostNetwork = true }) { frontend async throws in
            #expect(
                try await frontend.get("/api/1/about/").json["images"]
                    == .object([
                        "registry": .string("registry.example.org/team"),
                        "allowed_registries": .array([.string("registry.example.org")]),
                        "networks": .array([.string("none"), .string("host")]), "max_context_bytes": .integer(512 << 20),
                    ]))
        }
    }

    @Test("metrics count builds and steps by state, manifests by whether their packages are known, lost nodes, and rules with problems")
    func metrics() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            _ = try await frontend.request(.post, "/api/1/images/1/builds")
            try await frontend.contents(.read([]), of: 1, digest: .numbered(1))
            try await frontend.contents(.unknown("x"), of: 1, on: "linux/arm64", digest: .numbered(2))
            for name in ["n1", "n2", "n3"] {
                let store = frontend.database.store
                #expect(try await store.addNode(FarmNode(name: name, connection: .unix(path: "/\(name)"))))
                try await store.record(NodeLook(), at: try await store.node(name), next: .seconds(600))
            }
            try await frontend.database.store.recordLoss(of: "n1", because: "connection refused")
            try await frontend.database.store.disableNode("n2", because: "It lies.")
            _ = try await frontend.request(.post, "/api/1/rules", #"{"images": ["nothing/*"], "base": true}"#)
            _ = try await frontend.database.pool.query("UPDATE rules SET problem = 'No image has such a name.'")
            let text = try await frontend.get("/api/1/metrics/").text
            for line in [
                #"odcs_builds{state="wait"} 1"#, #"odcs_builds{state="building"} 0"#, #"odcs_build_steps{state="wait"} 3"#,
                "odcs_build_queue_depth 2", "odcs_build_nodes_disabled 0", #"odcs_farm_nodes{state="lost"} 1"#,
                #"odcs_farm_nodes{state="disabled"} 1"#, "odcs_rules_with_problems 1", #"odcs_image_manifests{contents="known"} 1"#,
                #"odcs_image_manifests{contents="unknown"} 1"#,
            ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
        }
        try await FrontendFixture.with { frontend in
            let text = try await frontend.get("/api/1/metrics/").text
            #expect(!text.contains("odcs_builds"))
        }
    }

    @Test(
        "without authentication, a frontend that builds images may listen on loopback only",
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("0.0.0.0", false), ("::", false),
            ("192.0.2.1", false), ("odcs.example.org", false), ("127.0.0.1.example.org", false),
        ])
    func loopback(host: String, isAllowed: Bool) async throws {
        try await FrontendFixture.withImages(configure: { configuration in
            let refusal = configuration.refusal(ofListeningAt: host)
            #expect((refusal == nil) == isAllowed)
            if host == "0.0.0.0" {
                #expect(
                    refusal
                        == "The frontend must not listen at 0.0.0.0 while images are built and requests need no authentication: everyone who "
                        + "reaches it could run programs here. Set frontend.host to 127.0.0.1, or leave images.registry empty.")
            }
            configuration.access = .named
            #expect(configuration.refusal(ofListeningAt: host) == nil)
            configuration.access = AccessControl()
            configuration.images = nil
            #expect(configuration.refusal(ofListeningAt: host) == nil)
        }) { _ in }
    }
}
