import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import ImageModel
import Testing

@testable import ComposeFrontend

/// The packages of images: contents, differences, and the images that have a package.
@Suite struct ContentsRouteTests {
    @Test("contents are shown for each platform, and unknown ones are never empty")
    func contents() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            try await frontend.contents(.read([.named("zlib 1.3-1")]), of: 1, digest: .numbered(1))
            try await frontend.contents(.unknown("It is an ndb."), of: 1, on: "linux/arm64", digest: .numbered(2))
            try await frontend.contents(.none, of: 1, on: "linux/s390x", digest: .numbered(3))
            let document = try await frontend.get("/api/1/images/1/contents").json
            #expect(document["repository"] == .string("registry.example.org/team/web"))
            let manifests = try #require(document["manifests"])
            #expect(manifests.count == 3)
            #expect(manifests[0]?["state"] == .string("read"))
            #expect(
                manifests[0]?["packages"]
                    == .array([
                        .object([
                            "name": .string("zlib"), "epoch": .integer(0), "version": .string("1.3"), "release": .string("1"),
                            "arch": .string("x86_64"), "source": .null, "module": .null,
                        ])
                    ]))
            #expect(manifests[1]?["state"] == .string("unknown"))
            #expect(manifests[1]?["problem"] == .string("It is an ndb."))
            #expect(manifests[1]?["packages"] == .null)
            #expect(manifests[2]?["state"] == .string("none"))
            #expect(manifests[2]?["packages"] == .array([]))

            let one = try await frontend.get("/api/1/images/1/contents?platform=arm64").json
            #expect(one["manifests"]?.count == 1)
            let missing = try await frontend.get("/api/1/images/1/contents?platform=386")
            #expect(missing.status == 404)
            #expect(
                try missing.message == "The image has nothing for linux/386. It has linux/amd64, linux/arm64, linux/s390x.")
            let digest = try ImageDigest.numbered(1)
            #expect(try await frontend.get("/api/1/images/1/contents?digest=\(digest)").json["manifests"]?[0] == manifests[0])
            #expect(try await frontend.get("/api/1/images/1/contents?digest=\(ImageDigest.numbered(9))").status == 404)
        }
    }

    @Test("a manifest that nobody has read yet is unread, without packages")
    func unread() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web")
            let amd64 = try Platform("linux/amd64")
            try await frontend.database.store.recordLook(
                at: 1, tag: .latest, digest: .numbered(1), manifests: [amd64: .numbered(1)])
            let manifest = try await frontend.get("/api/1/images/1/contents").json["manifests"]?[0]
            #expect(manifest?["state"] == .string("unread"))
            #expect(manifest?["packages"] == .null)
            let affected = try await frontend.get("/api/1/images/?contains=zlib").json
            #expect(affected["unknown"]?["total"] == .integer(1))
            #expect(affected["unknown"]?["items"]?[0]?["problem"] == .null)
        }
    }

    @Test("a difference has added, removed and changed packages, and says which cannot be compared")
    func difference() async throws {
        try await FrontendFixture.withImages { frontend in
            try await frontend.add("web", #"{"source": {"containerfile": "FROM scratch"}, "platforms": ["linux/amd64"]}"#)
            _ = try await frontend.request(.post, "/api/1/images/1/builds")
            let store = frontend.database.store
            let offer = StepOffer(platforms: [try Platform("linux/amd64")])
            for number in [1, 2] {
                let lease = try #require(try await store.claimStep(by: "w", offering: offer, for: .seconds(60)))
                #expect(try await store.finish(lease, digest: .numbered(number), tags: number == 2 ? [.latest] : []))
            }
            try await store.record(
                Contents(
                    digest: .numbered(1), platform: Platform("linux/amd64"),
                    state: .read([.named("zlib 1.3-2"), .named("bash 5-1"), .named("old 1-1")])))
            try await frontend.contents(
                .read([.named("zlib 1.3-1"), .named("bash 5-2"), .named("new 1-1")]), of: 1, digest: .numbered(5))
            let document = try await frontend.get("/api/1/images/1/diff?from=1").json
            let manifest = try #require(document["manifests"]?[0])
            #expect(try manifest["from"] == .string(ImageDigest.numbered(1).description))
            #expect(try manifest["to"] == .string(ImageDigest.numbered(5).description))
            #expect(manifest["problem"] == .null)
            #expect(manifest["added"]?[0]?["name"] == .string("new"))
            #expect(manifest["removed"]?[0]?["name"] == .string("old"))
            #expect(
                manifest["changed"]?[1]
                    == .object([
                        "name": .string("zlib"), "arch": .string("x86_64"), "module": .null, "before": .array([.string("1.3-2")]),
                        "after": .array([.string("1.3-1")]), "is_downgrade": .bool(true),
                    ]))
            #expect(manifest["changed"]?[0]?["is_downgrade"] == .bool(false))

            try await frontend.contents(.unknown("It is an ndb."), of: 1, digest: .numbered(6))
            let unknown = try await frontend.get("/api/1/images/1/diff?from=\(ImageDigest.numbered(1))").json["manifests"]?[0]
            #expect(
                try unknown?["problem"] == .string("The contents of \(ImageDigest.numbered(6)) are unknown: It is an ndb."))
            #expect(
                try await frontend.get("/api/1/images/1/diff").message
                    == "from is missing. It must be the number of a build of the image, or the digest of one of its manifests.")
            #expect(try await frontend.get("/api/1/images/1/diff?from=9").message == "There is no build 9 of image 1.")
            #expect(
                try await frontend.get("/api/1/images/1/diff?from=x").message
                    == #"from is "x". It must be the number of a build, or a digest."#)
        }
    }

    @Test("images with an older build of a package are found by epoch, version and release, on every platform")
    func affected() async throws {
        try await FrontendFixture.withImages { frontend in
            for name in ["web", "base", "tools", "suse"] { try await frontend.add(name) }
            try await frontend.contents(.read([.named("openssl-libs 1:3.0.7-27")]), of: 1, digest: .numbered(1))
            try await frontend.contents(
                .read([.named("openssl-libs 1:3.0.7-9", arch: "aarch64")]), of: 1, on: "linux/arm64", digest: .numbered(2))
            try await frontend.contents(.read([.named("openssl-libs 9.9-1"), .named("zlib 1-1")]), of: 2, digest: .numbered(3))
            try await frontend.contents(.read([.named("openssl-libs 1:3.0.7-28")]), of: 3, digest: .numbered(4))
            try await frontend.contents(.unknown("It is an ndb."), of: 4, digest: .numbered(5))
            func names(_ query: String) async throws -> [String] {
                guard case .array(let items)? = try await frontend.get("/api/1/images/?\(query)").json["items"] else { return [] }
                return items.compactMap { $0["repository"]?.string?.split(separator: "/").last.map(String.init) }
            }
            #expect(try await names("contains=openssl-libs&older_than=1:3.0.7-28") == ["base", "web"])
            #expect(try await names("contains=openssl-libs&older_than=1:3.0.7") == ["base"])
            #expect(try await names("contains=openssl-libs") == ["base", "tools", "web"])
            #expect(try await names("contains=openssl-libs&arch=aarch64") == ["web"])
            #expect(try await names("contains=nothing") == [])
            #expect(try await names("contains=openssl-libs&per_page=1&page=2") == ["tools"])

            let answer = try await frontend.get("/api/1/images/?contains=openssl-libs&older_than=1:3.0.7-28&per_page=1&page=2").json
            #expect(answer["meta"]?["total"] == .integer(2))
            #expect(answer["items"]?[0]?["manifests"]?.count == 2)
            #expect(answer["items"]?[0]?["manifests"]?[1]?["packages"]?[0]?["release"] == .string("9"))
            #expect(answer["unknown"]?["total"] == .integer(1))
            #expect(answer["unknown"]?["items"]?[0]?["repository"] == .string("registry.example.org/team/suse"))
            #expect(answer["unknown"]?["items"]?[0]?["problem"] == .string("It is an ndb."))
            let past = try await frontend.get("/api/1/images/?contains=openssl-libs&page=9").json
            #expect(past["items"] == .array([]))
            #expect(past["meta"]?["total"] == .integer(3))
        }
    }

    @Test(
        "a query that cannot be meant is refused",
        arguments: [
            ("older_than=1-1", "older_than needs contains, which is the name of a package."),
            (
                "contains=x&older_than=1-2-3",
                #"older_than is "1-2-3". It must be a version such as 1:3.0.7-28.el9, with or without an epoch."#
            ),
            ("contains=x&owner=me", "contains cannot be used together with owner, repository or contents."),
            ("contains=x&contains=y", "contains is there more than once. One package can be looked for at a time."),
            ("contents=read", #"contents cannot be "read". It can only be unknown."#),
        ])
    func query(query: String, message: String) async throws {
        try await FrontendFixture.withImages { frontend in
            let answer = try await frontend.get("/api/1/images/?\(query)")
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }
}
