import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import ImageModel
import Testing

@testable import ComposeFrontend

/// `/api/1/rebuilds`.
@Suite struct RebuildRouteTests {
    private static let rebuilds = "/api/1/rebuilds/"

    @Test("a dry run answers the plan and stores nothing, and a rebuild makes its builds, which a later one joins")
    func rebuild() async throws {
        try await FrontendFixture.withImages { frontend in
            for (name, package) in [("web", "zlib 1-1"), ("new", "zlib 1-2")] {
                let image = try await frontend.add(name)["id"]?.integer ?? 0
                try await frontend.contents(.read([.named(package)]), of: image, digest: .numbered(image))
            }
            let compose = try await frontend.composeDone()
            let body = #""compose": \#(compose), "advisory": "RHSA-2026:1234", "cves": ["CVE-2026-1"], "date_tag": "v1""#
            let shown = try await frontend.post("{\(body), \"dry_run\": true}", to: Self.rebuilds)
            #expect(shown.status == 200, "\(shown.text)")
            let plan = try shown.json
            #expect(plan["id"] == .null)
            #expect(plan["known_images"] == .integer(2))
            #expect(plan["plan"]?.count == 1)
            let row = plan["plan"]?[0]
            #expect(row?["repository"] == .string("registry.example.org/team/web"))
            #expect(row?["decision"] == .string("build"))
            #expect(row?["order"] == .integer(1))
            #expect(row?["findings"]?[0]?["newest"] == .string("1-2"))
            #expect(try await frontend.database.store.rebuilds().total == 0)
            #expect(try await frontend.database.store.list(BuildQuery()).total == 0)

            let stored = try await frontend.post("{\(body)}", to: Self.rebuilds).json
            #expect(stored["id"] == .integer(1))
            #expect(stored["state_name"] == .string("building"))
            #expect(stored["plan"]?[0]?["build"] == .integer(1))
            #expect(stored["plan"]?[0]?["build_state_name"] == .string("wait"))
            #expect(try await frontend.get("/api/1/rebuilds/1").json == stored)
            #expect(try await frontend.get("/api/1/builds/1").json["rebuild"] == .integer(1))
            let second = try await frontend.post("{\(body)}", to: Self.rebuilds).json
            #expect(second["plan"]?[0]?["decision"] == .string("join"))
            let list = try await frontend.get("\(Self.rebuilds)?per_page=1").json
            #expect(list["items"]?[0] == second)
            #expect(list["meta"]?["total"] == .integer(2))

            let schemas = try #require(try await frontend.get("/api/1").json["components"]?["schemas"])
            for (document, name) in [(stored, "Rebuild"), (row, "RebuildRow"), (row?["findings"]?[0], "RebuildFinding")] {
                #expect(document?.keys == schemas[name]?["properties"]?.keys, "\(name)")
            }
            let submission = schemas["RebuildSubmission"]?["properties"]?.keys
            #expect(submission == Set(RebuildSubmission.CodingKeys.allCases.map(\.rawValue)))
        }
    }

    @Test("a rebuild waits for a compose that is not done, its owner or an admin can cancel it, and it has no plan yet")
    func waiting() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            let compose = try await frontend.database.store.submit(.repo(), owner: "me").id
            let dry = try await frontend.post(#"{"compose": \#(compose), "dry_run": true}"#, to: Self.rebuilds)
            #expect(dry.status == 400)
            #expect(try dry.message == "Compose 1 is in state wait. Its packages are known when it is done.")
            let rebuild = try await frontend.post(#"{"compose": \#(compose)}"#, to: Self.rebuilds).json
            #expect(rebuild["state_name"] == .string("wait"))
            #expect(rebuild["time_planned"] == .null)
            #expect(rebuild["plan"]?.count == 0)
            let refused = try await frontend.request(.delete, "/api/1/rebuilds/1", headers: .by("other"))
            #expect(refused.status == 403)
            #expect(try refused.message == "Not allowed: only me, the owner of rebuild 1, or an admin can cancel it.")
            let canceled = try await frontend.request(.delete, "/api/1/rebuilds/1", headers: .by("boss"))
            #expect(canceled.status == 202)
            #expect(try canceled.message == "Rebuild 1 has been canceled.")
            #expect(try await frontend.get("/api/1/rebuilds/1").json["canceled_by"] == .string("boss"))
            let again = try await frontend.request(.delete, "/api/1/rebuilds/1")
            #expect(again.status == 400)
            #expect(try again.message == "Rebuild 1 is in state failed already. One that goes on can be canceled.")
        }
    }

    @Test("a plan says that a rebuild cannot help an image whose newest base still has the package")
    func cannotHelp() async throws {
        try await FrontendFixture.withImages { frontend in
            let platform = try Platform("linux/amd64")
            let store = frontend.database.store
            let definition = #"{"source": {"containerfile": "FROM registry.example.org/vendor/ubi:9\nCOPY . /\n"}, "platforms": ["amd64"]}"#
            let image = try await frontend.add("vendored", definition)["id"]?.integer ?? 0
            try await frontend.contents(.read([.named("zlib 1-1")]), of: image, digest: .numbered(1))
            let base = try ImageDigest.numbered(2)
            try await store.record(try ImageReference("registry.example.org/vendor/ubi:9"), shows: [platform: base])
            try await store.record(Contents(digest: base, platform: platform, state: .read([.named("zlib 1-1")])))
            let compose = try await frontend.composeDone()
            let body = #"{"compose": \#(compose), "dry_run": true}"#
            let row = try await frontend.post(body, to: Self.rebuilds).json["plan"]?[0]
            #expect(row?["decision"] == .string("cannot-help"))
            #expect(
                row?["reason"]
                    == .string(
                        "cannot be fixed by rebuilding: comes with registry.example.org/vendor/ubi:9, whose newest (sha256:000000000000) still "
                            + "has it; set update: true to upgrade it there"))
            _ = try await frontend.request(.patch, "/api/1/images/\(image)", #"{"definition": {"update": true}}"#)
            let upgraded = try await frontend.post(body, to: Self.rebuilds).json["plan"]?[0]
            #expect(upgraded?["decision"] == .string("build"))
            #expect(upgraded?["reason"] == .string("upgraded by it"))
        }
    }

    @Test("images that build on each other in a circle are refused with the circle, and nothing is stored")
    func circle() async throws {
        try await FrontendFixture.withImages { frontend in
            for (name, base) in [("a", "c"), ("b", "a"), ("c", "b")] {
                let text = "FROM registry.example.org/team/\(base)\\nRUN dnf -y update\\n"
                let definition = #"{"source": {"containerfile": "\#(text)"}, "platforms": ["amd64"]}"#
                let image = try await frontend.add(name, definition)["id"]?.integer ?? 0
                try await frontend.contents(.read([.named("zlib 1-1")]), of: image, digest: .numbered(image))
            }
            let compose = try await frontend.composeDone()
            for dryRun in [true, false] {
                let refused = try await frontend.post(#"{"compose": \#(compose), "dry_run": \#(dryRun)}"#, to: Self.rebuilds)
                #expect(refused.status == 400)
                #expect(
                    try refused.message
                        == "These images build on each other in a circle, so none of them can be built first: "
                        + "team/a → team/c → team/b → team/a. Change the FROM of one of them, or leave one out.")
            }
            #expect(try await frontend.database.store.rebuilds().total == 0)
            #expect(try await frontend.database.store.list(BuildQuery()).total == 0)
            let without = try await frontend.post(#"{"compose": \#(compose), "exclude": ["team/c"]}"#, to: Self.rebuilds)
            #expect(without.status == 200, "\(without.text)")
        }
    }

    @Test("builds of Koji get a compose for the architectures of the selected images, and the rebuild waits for it")
    func builds() async throws {
        try await FrontendFixture.withImages(configure: { $0.admission.capabilities = .all }) { frontend in
            try await frontend.add("web")
            try await frontend.add("other", #"{"source": {"containerfile": "FROM scratch\n"}, "platforms": ["s390x"]}"#)
            let key = HTTPField.Name("Idempotency-Key")!
            let body = #"{"builds": ["zlib-1-2", "ed-1-1"], "images": ["team/web"], "advisory": "RHSA-2026:1234"}"#
            let first = try await frontend.request(.post, Self.rebuilds, body, headers: [key: "k"])
            #expect(first.status == 200, "\(first.text)")
            #expect(try first.json["state_name"] == .string("wait"))
            #expect(try first.json["compose"] == .integer(1))
            let compose = try #require(try await frontend.database.store.compose(1)?.request)
            #expect(compose.sourceType == .build)
            #expect(compose.builds == ["zlib-1-2", "ed-1-1"])
            #expect(compose.arches == ["aarch64", "x86_64"])
            #expect(compose.flags == .noDeps)
            #expect(try await frontend.request(.post, Self.rebuilds, body, headers: [key: "k"]).json == first.json)
            #expect(try await frontend.get("/api/1/composes/").json["meta"]?["total"] == .integer(1))
            let other = try await frontend.request(.post, Self.rebuilds, #"{"builds": ["zlib-1-2"]}"#, headers: [key: "k"])
            #expect(other.status == 422)
            let all = try await frontend.post(#"{"builds": ["zlib-1-2"]}"#, to: Self.rebuilds).json
            #expect(all["compose"] == .integer(2))
            #expect(try await frontend.database.store.compose(2)?.request.arches == ["aarch64", "s390x", "x86_64"])
        }
    }

    @Test("a server without Koji refuses builds")
    func buildsNotAllowed() async throws {
        try await FrontendFixture.withImages {
            $0.admission.capabilities.missingSettings = [.build: ["koji.hub"]]
        } _: { frontend in
            let refused = try await frontend.post(#"{"builds": ["zlib-1-2"]}"#, to: Self.rebuilds)
            #expect(refused.status == 400)
            #expect(
                try refused.message
                    == "This server makes no composes of the source type build: the setting koji.hub is missing in its configuration.")
            #expect(try await frontend.database.store.rebuilds().total == 0)
        }
    }

    @Test("a request that is sent again with its key makes no second rebuild, although its compose is gone, and the key is of no other")
    func key() async throws {
        try await FrontendFixture.withImages(configure: { $0.access = .named }) { frontend in
            let frontend = frontend.by("me")
            let compose = try await frontend.composeDone()
            let key = HTTPField.Name("Idempotency-Key")!
            let body = #"{"compose": \#(compose), "advisory": "RHSA-2026:1234"}"#
            let first = try await frontend.request(.post, Self.rebuilds, body, headers: [key: "k"])
            #expect(first.status == 200, "\(first.text)")
            _ = try await frontend.request(.delete, "/api/1/composes/\(compose)", headers: .by("boss"))
            let again = try await frontend.request(.post, Self.rebuilds, body, headers: [key: "k"])
            #expect(try again.json == first.json)
            let other = try await frontend.request(.post, Self.rebuilds, #"{"compose": \#(compose)}"#, headers: [key: "k"])
            #expect(other.status == 422)
            #expect(
                try other.message
                    == #"The Idempotency-Key "k" is that of another request, which made rebuild 1. A new request needs a key of its own."#)
            let theirs = try await frontend.request(.post, Self.rebuilds, body, headers: [key: "k", .authorization: "Bearer other"])
            #expect(theirs.status == 400, "the key belongs to its owner, so this is a new request for a compose that is gone")
            #expect(try await frontend.database.store.rebuilds().total == 1)
            #expect(try await frontend.database.store.forgetSubmissions(olderThan: .zero) == 1)
        }
    }

    @Test(
        "a request with a mistake is refused, and the sentence names it",
        arguments: [
            (
                #"{}"#,
                "compose is missing. It is the number of the compose that has the newer packages. Or name builds of Koji as builds."
            ),
            (
                #"{"compose": 2, "builds": ["zlib-1-2"]}"#,
                "compose and builds are both there. A rebuild is for one compose, or for builds that get a compose."
            ),
            (#"{"builds": []}"#, "builds is empty. It must have builds of Koji, each as NAME-VERSION-RELEASE."),
            (
                #"{"builds": ["zlib-1-2"], "dry_run": true}"#,
                "dry_run needs a compose that is done. Ask for a compose of the builds first, and then for the plan with its number."
            ),
            (#"{"builds": ["zlib"]}"#, #"builds[0] is "zlib"; it must be a build as NAME-VERSION-RELEASE, such as ed-1.20-3.fc42."#),
            (#"{"compose": 7}"#, "There is no compose 7."),
            (
                #"{"compose": 1}"#,
                "Compose 1 only refers to its packages, and a build reads them from the compose. Make it without delivery."
            ),
            (#"{"compose": 2}"#, "The files of compose 2 are not there. Renew it, and use the new compose."),
            (#"{"compose": 2, "advisory": ""}"#, #"advisory cannot be "". It must have 1 to 300 printable ASCII characters."#),
            (#"{"compose": 2, "priority": 101}"#, "priority is 101. It must be from -100 to 100."),
        ] as [(String, String)])
    func mistakes(body: String, message: String) async throws {
        try await FrontendFixture.withImages(configure: { $0.admission.capabilities = .all }) { frontend in
            var request = ComposeRequest.repo()
            request.delivery = .reference
            _ = try await frontend.database.store.submit(request, owner: "me")
            _ = try await frontend.database.store.delete(1, by: Actor(name: "me", isAdmin: false))
            try await frontend.composeDone(withFiles: false)
            let answer = try await frontend.post(body, to: Self.rebuilds)
            #expect(answer.status == 400)
            #expect(try answer.message == message)
            #expect(try await frontend.database.store.rebuilds().total == 0)
        }
    }

    @Test("a compose without the packages that the request names, or one that was removed, is refused")
    func unusable() async throws {
        try await FrontendFixture.withImages { frontend in
            let compose = try await frontend.composeDone()
            let absent = try await frontend.post(#"{"compose": \#(compose), "packages": ["ed"]}"#, to: Self.rebuilds)
            #expect(absent.status == 400)
            #expect(try absent.message == #"Compose 1 does not have "ed"."#)
            _ = try await frontend.request(.delete, "/api/1/composes/\(compose)")
            let removed = try await frontend.post(#"{"compose": \#(compose)}"#, to: Self.rebuilds)
            #expect(removed.status == 400)
            #expect(try removed.message == "Compose 1 was removed, so no build can use it. Renew it, and use the new compose.")
        }
    }

    @Test("a server without images says so, and an unknown rebuild is not found")
    func absent() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(#"{"compose": 1}"#, to: Self.rebuilds)
            #expect(answer.status == 404)
            #expect(
                try answer.message == "This server builds no images: the setting images.registry is missing in its configuration.")
        }
        try await FrontendFixture.withImages { frontend in
            try await #expect(frontend.get("/api/1/rebuilds/7").message == "There is no rebuild 7.")
            try await #expect(frontend.request(.delete, "/api/1/rebuilds/x").message == "There is no rebuild x.")
        }
    }
}

extension FrontendFixture {
    /// Makes a compose that is done and has zlib 1-2, and returns its id.
    @discardableResult
    func composeDone(withFiles: Bool = true) async throws -> Int {
        let store = database.store
        let compose = try await store.submit(.repo(), owner: "me").id
        let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
        _ = try await store.settle(lease, as: .pinned(.repo()), source: "/srv/repo", reason: { _ in "same" })
        _ = try await store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in }
        if withFiles {
            try write(
                #"{"version": 1, "packages": [{"nevra": "zlib-1-2.x86_64", "path": "x86_64/os/Packages/z/zlib-1-2.x86_64.rpm"}]}"#,
                to: "\(ComposeLayout(id: compose).directory)/compose.lock.json")
        }
        return compose
    }
}
