import ComposeStore
import ComposeTestKit
import Foundation
import ImageModel
import Testing

@testable import ComposeFrontend

/// `/api/1/images/{id}/why`.
@Suite struct WhyRouteTests {
    private static let platform = "linux/amd64"

    /// Does all steps of the builds that wait, with these contents as result.
    private static func finishBuilds(_ contents: Contents, list: ImageDigest, in store: ComposeStore) async throws {
        while let lease = try await store.claimStep(by: "w", offering: StepOffer(platforms: [contents.platform]), for: .seconds(60)) {
            guard lease.step.platform != nil else {
                #expect(try await store.finish(lease, digest: list, tags: [.latest]))
                continue
            }
            try await store.record(contents)
            #expect(try await store.finish(lease, digest: contents.digest))
        }
    }

    @Test("a package is traced to the layer, the image below, its build, the compose and the advisory")
    func traced() async throws {
        try await FrontendFixture.withImages { frontend in
            let store = frontend.database.store
            let platform = try Platform(Self.platform)
            let definition = #"{"source": {"containerfile": "FROM scratch\nCOPY . /\n"}, "platforms": ["amd64"]}"#
            let base = try await frontend.add("base", definition)["id"]?.integer ?? 0
            let web = try await frontend.add("web", definition)["id"]?.integer ?? 0
            try await frontend.contents(.read([.named("zlib 1-1")]), of: base, digest: .numbered(1))
            let compose = try await frontend.composeDone()
            let asked = try await frontend.post(
                #"{"compose": \#(compose), "images": ["team/base"], "advisory": "RHSA-2026:1234", "cves": ["CVE-2026-1"]}"#,
                to: "/api/1/rebuilds/")
            #expect(asked.status == 200, "\(asked.text)")
            let layers = try [ImageDigest.numbered(11), .numbered(12), .numbered(13)]
            try await Self.finishBuilds(
                Contents(digest: .numbered(2), platform: platform, layers: [layers[0]], state: .read([.named("zlib 1-2")])),
                list: .numbered(3), in: store)
            // Another program has built an image on it.
            try await store.recordLook(at: web, tag: .latest, digest: .numbered(4), manifests: [platform: .numbered(4)])
            try await store.record(
                Contents(
                    digest: .numbered(4), platform: platform, layers: layers, state: .read([.named("zlib 1-2"), .named("tool 1-1")])))

            let document = try await frontend.get("/api/1/images/\(web)/why?package=zlib").json
            let manifest = try #require(document["manifests"]?[0])
            #expect(manifest["platform"] == .string(Self.platform))
            #expect(manifest["state"] == .string("read"))
            let origin = try #require(manifest["origins"]?[0])
            #expect(origin["layers"] == .array([.string("\(layers[0])")]))
            #expect(origin["base"] == .string("registry.example.org/team/base"))
            #expect(origin["base_digest"] == .string("\(try ImageDigest.numbered(2))"))
            #expect(origin["build"] == .integer(1))
            #expect(origin["composes"] == .array([.integer(compose)]))
            #expect(origin["causes"]?[0]?["advisory"] == .string("RHSA-2026:1234"))

            let own = try await frontend.get("/api/1/images/\(web)/why?package=tool").json["manifests"]?[0]?["origins"]?[0]
            #expect(own?["base"] == .null)
            #expect(own?["build"] == .null)
            #expect(own?["layers"]?.count == 2)
            let ofBase = try await frontend.get("/api/1/images/\(base)/why?package=zlib&platform=amd64").json["manifests"]?[0]?["origins"]?[
                0]
            #expect(ofBase?["base"] == .null)
            #expect(ofBase?["build"] == .integer(1))
            let ofList = try await frontend.get("/api/1/images/\(base)/why?package=zlib&digest=\(ImageDigest.numbered(3))").json
            #expect(ofList["manifests"]?[0]?["digest"] == .string("\(try ImageDigest.numbered(2))"), "The digest of the list is known too.")
            let absent = try await frontend.get("/api/1/images/\(web)/why?package=none").json["manifests"]?[0]
            #expect(absent?["origins"]?.count == 0)
            let refused = try await frontend.get("/api/1/images/\(web)/why")
            #expect(try refused.message == "package is missing. It must be the name of a package, such as openssl-libs.")

            let schemas = try #require(try await frontend.get("/api/1").json["components"]?["schemas"])
            for (document, name) in [(document, "PackageOrigins"), (origin, "PackageOrigin")] {
                #expect(document.keys == schemas[name]?["properties"]?.keys, "\(name)")
            }
        }
    }
}
