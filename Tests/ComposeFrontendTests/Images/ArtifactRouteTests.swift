import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import HummingbirdTesting
import ImageModel
import ImageTestKit
import NIOCore
import Registry
import Testing

@testable import ComposeFrontend

/// `/image` and `/component`.
@Suite struct ArtifactRouteTests {
    private static let image = #"{"dockerfile": "FROM scratch", "component": "mps", "branch": "main", "architecture": "rocky9"}"#
    private static let component =
        #"{"url": "https://git.example.org/asyn", "component": "asyn", "tag": "R1", "architecture": "rocky9"}"#
    private static let zeros =
        "H4sIAAAAAAACA+3PuwmAMAAE0IziCFGCmcfCWvDTOL1BQcRaBeG95uCa49Z+HKbwrli0Ke1Z3DLlmM7u6OvY5ByqGD6wTHM3lvkn"
        + "Tl7PAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADwaxv8+36mAHgAAA=="
    private static let asyn = "component=asyn&tag=R1&architecture=rocky9"

    private static func with(
        registry: String = FrontendFixture.nowhere, git: [String] = [],
        configure: @escaping @Sendable (inout FrontendConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        let environment = try ImageReference("registry.example.org/envs/rocky9:1")
        try await FrontendFixture.withImages(
            registry: registry,
            configure: {
                $0.images?.artifacts.environments = ["rocky9": environment]
                $0.images?.artifacts.git = git
                configure(&$0)
            }
        ) { try await body($0) }
    }

    private static func send(
        _ frontend: FrontendFixture, _ method: HTTPRequest.Method, _ uri: String, type: String, _ bytes: [UInt8]
    ) async throws -> Answer {
        try await frontend.client.execute(
            uri: uri, method: method, headers: [.contentType: type], body: ByteBuffer(bytes: bytes)
        ) { Answer($0) }
    }

    private static func form(_ fields: [(String, [UInt8])]) -> [UInt8] {
        fields.flatMap { name, content in
            Array("--x\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"f\"\r\n\r\n".utf8) + content + Array("\r\n".utf8)
        } + Array("--x--\r\n".utf8)
    }

    /// Ends the build of an artifact, as a worker does it.
    private static func finish(_ frontend: FrontendFixture, with digest: ImageDigest) async throws {
        let store = frontend.database.store
        for _ in 0..<2 {
            let lease = try #require(try await store.claimStep(by: "w", offering: StepOffer(platforms: [.host]), for: .seconds(60)))
            #expect(try await store.finish(lease, digest: digest))
        }
    }

    // MARK: Images

    @Test("an image is built as an ordinary image with the tag ARCHITECTURE-DATE-BUILD, and GET says how to pull it")
    func image() async throws {
        try await Self.with { frontend in
            let none = try await frontend.get("/image?component=mps&branch=main&architecture=rocky9")
            #expect(none.status == 404)
            #expect(try none.json["status"] == .string("none"))
            #expect(try none.json["errorMessage"] == .string("There is no image of the branch main of mps for rocky9."))

            let fields = [("dockerfile", "FROM scratch\nCOPY . /\n"), ("component", "mps"), ("branch", "main"), ("architecture", "rocky9")]
            let body = Self.form(fields.map { ($0, Array($1.utf8)) })
            let posted = try await Self.send(frontend, .post, "/image", type: "multipart/form-data; boundary=x", body)
            #expect(posted.status == 202, "\(posted.text)")
            #expect(try posted.json["status"] == .string("building") && posted.json["errorMessage"] == .string(""))
            #expect(try posted.json["build"] == .integer(1))
            let shown = try await frontend.get("/api/1/builds/1").json
            #expect(shown["repository"] == .string("registry.example.org/team/mps-main-image"))

            let digest = try ImageDigest.numbered(7)
            try await Self.finish(frontend, with: digest)
            let done = try await frontend.get("/image?component=mps&branch=main&architecture=rocky9")
            #expect(done.status == 200, "\(done.text)")
            let build = try #require(try await frontend.database.store.build(1))
            #expect(build.dateTag.text.wholeMatch(of: /rocky9-20[0-9]{6}-1/) != nil)
            let name = "registry.example.org/team/mps-main-image:\(build.dateTag)"
            #expect(try done.json["imageName"] == .string(name))
            #expect(try done.json["pullCommand"] == .string("podman pull \(name)"))
            #expect(try done.json["digest"] == .string(digest.description))
        }
    }

    @Test("operating systems have images of their own in one repository, and an equal request joins the open build")
    func variants() async throws {
        try await Self.with { frontend in
            #expect(try await frontend.post(Self.image, to: "/image").json["build"] == .integer(1))
            #expect(try await frontend.post(Self.image, to: "/image").json["build"] == .integer(1))
            let other = Self.image.replacing("rocky9", with: "rhel7")
            #expect(try await frontend.post(other, to: "/image").json["build"] == .integer(2))
            let changed = Self.image.replacing("FROM scratch", with: "FROM scratch\\nCOPY . /")
            #expect(try await frontend.post(changed, to: "/image").json["build"] == .integer(3))
            let images = try await frontend.get("/api/1/images/").json
            #expect(images["meta"]?["total"] == .integer(2), "\(images)")
        }
    }

    @Test("a build that has failed is an answer with its reason")
    func failed() async throws {
        try await Self.with { frontend in
            _ = try await frontend.post(Self.image, to: "/image")
            #expect(try await frontend.request(.delete, "/api/1/builds/1").status == 202)
            let answer = try await frontend.get("/image?component=mps&branch=main&architecture=rocky9")
            #expect(answer.status == 200)
            #expect(try answer.json["status"] == .string("failed"))
            #expect(try answer.json["errorMessage"] == .string("Canceled by unknown"))
        }
    }

    @Test("a request that lacks a field, or has names that no image can have, is refused with a sentence")
    func mistakes() async throws {
        try await Self.with { frontend in
            for (body, message) in [
                ("{}", "component is missing."),
                (
                    #"{"component": "a", "branch": "b", "architecture": "c"}"#,
                    "dockerfile is missing. It must be a field of the query, of a form, or of a JSON object."
                ),
                (
                    #"{"component": "a", "branch": "b", "architecture": "c-d"}"#,
                    #"architecture is "c-d". It must have 1 to 24 of letters, digits and _, and begin with a letter or a digit."#
                ),
                (#"{"component": 1}"#, "component must be a string, not the number 1."),
                (
                    Self.image.replacing("FROM scratch", with: "FROM scratch\\nRUN --security=insecure true"),
                    "dockerfile cannot be built. line 2: RUN --security=insecure is not allowed: no command may leave its sandbox."
                ),
            ] {
                let answer = try await frontend.post(body, to: "/image")
                #expect(answer.status == 400)
                #expect(try answer.message == message)
            }
            _ = try await frontend.post(Self.image, to: "/image")
            let taken = try await frontend.post(Self.image.replacing("main", with: "Main"), to: "/image")
            #expect(taken.status == 409)
            #expect(
                try taken.message
                    == "registry.example.org/team/mps-main-image belongs to main of mps. Both have the same name in the registry, where capital letters do not count."
            )
            let other = try await frontend.post(
                Self.image.replacing(#""mps""#, with: #""mps-main""#).replacing(#""main""#, with: #""x""#), to: "/image")
            #expect(other.status == 202)
            let same = try await frontend.post(Self.image.replacing(#""main""#, with: #""main-x""#), to: "/image")
            #expect(same.status == 409)
            #expect(try same.message?.hasPrefix("registry.example.org/team/mps-main-x-image belongs to x of mps-main.") == true)
        }
    }

    @Test("the names that a client claims are in the audit, and it is no one else for that")
    func claims() async throws {
        try await Self.with(configure: { $0.access = RouteIdentityTests.access(asks: true) }) { frontend in
            var headers = HTTPFields.by("client")
            headers[HTTPField.Name("linux_username")!] = "pnispero"
            headers[HTTPField.Name("github-username")!] = "owner"
            #expect(try await frontend.request(.post, "/image", Self.image, headers: headers).status == 202)
            let record = try #require(try await frontend.database.store.audit(AuditQuery()).first)
            #expect(record.entry.sender.account == "client" && record.entry.object == "build 1")
            #expect(record.entry.detail == ["status": "202", "linux_username": "pnispero", "github_username": "owner"])
            #expect(try await frontend.database.store.build(1)?.owner == "client")
        }
    }

    @Test("an artifact is not changed like other images, and the list of images finds it by its repository")
    func ordinary() async throws {
        try await Self.with { frontend in
            _ = try await frontend.post(Self.image, to: "/image")
            let answer = try await frontend.request(.patch, "/api/1/images/1", #"{"definition": {"tags": ["x"]}}"#)
            #expect(answer.status == 400)
            #expect(try answer.message == "Image 1 is the image mps. Change it with POST /image.")
            for name in ["mps-main-image", "registry.example.org/team/mps-*-image", "*"] {
                let list = try await frontend.get("/api/1/images/?repository=\(name)").json
                #expect(list["meta"]?["total"] == .integer(1), "\(name)")
            }
            #expect(try await frontend.get("/api/1/images/?repository=mps-main-image:rocky9").json["meta"]?["total"] == .integer(0))
        }
    }

    // MARK: Components

    @Test("a component is built from the git repository of a request, with the tag as its commit")
    func component() async throws {
        try await Self.with { frontend in
            let answer = try await frontend.post(Self.component, to: "/component")
            #expect(answer.status == 202, "\(answer.text)")
            let build = try #require(try await frontend.database.store.build(1))
            #expect(build.request.definition.source == .git(url: "https://git.example.org/asyn", reference: "R1", folder: ""))
            #expect(try await frontend.get("/component?\(Self.asyn)").status == 202)
            let other = try await frontend.post(Self.component.replacing("rocky9", with: "rhel7"), to: "/component")
            #expect(
                try other.message
                    == "There is no environment to build a component for rhel7. The setting artifacts.environments has rocky9.")
            let file = try await frontend.post(Self.component.replacing("https://git.example.org", with: "file:///etc"), to: "/component")
            #expect(file.status == 400)
        }
    }

    @Test("a component that is missing is built from the address of an earlier request, else from artifacts.git, else it is none")
    func missing() async throws {
        try await Self.with { frontend in
            let none = try await frontend.get("/component?\(Self.asyn)")
            #expect(none.status == 404)
            #expect(
                try none.json["errorMessage"]
                    == .string(
                        "There is no component asyn with the tag R1 for rocky9, and its git repository is not known. Ask for it with POST and a url."
                    ))
            let other = try await frontend.get("/component?component=asyn&tag=R1&architecture=rhel7")
            #expect(other.status == 404)
            #expect(
                try other.json["errorMessage"]
                    == .string(
                        "There is no component asyn with the tag R1 for rhel7. There is no environment to build a component for rhel7. The setting artifacts.environments has rocky9."
                    ))
            _ = try await frontend.post(Self.component.replacing("R1", with: "R0"), to: "/component")
            let built = try await frontend.get("/component?\(Self.asyn)")
            #expect(built.status == 202)
            #expect(try built.json["build"] == .integer(2))
            let build = try #require(try await frontend.database.store.build(2))
            #expect(build.request.definition.source == .git(url: "https://git.example.org/asyn", reference: "R1", folder: ""))
        }
        try await Self.with(git: ["file:///srv/git"]) { frontend in
            #expect(try await frontend.request(.head, "/component?\(Self.asyn)").status == 404)
            #expect(try await frontend.get("/component?\(Self.asyn)").status == 202)
            let build = try #require(try await frontend.database.store.build(1))
            #expect(build.request.definition.source == .git(url: "file:///srv/git/asyn", reference: "R1", folder: ""))
            let record = try #require(try await frontend.database.store.audit(AuditQuery()).first)
            #expect(record.entry.action == "GET /component" && record.entry.object == "build 1")
        }
    }

    @Test("a GET builds nothing without the permission of a POST")
    func permission() async throws {
        try await Self.with(git: ["file:///srv/git"], configure: { $0.access = RouteIdentityTests.access(asks: true) }) { frontend in
            for (headers, status) in [
                ([:], 401), (.by("known"), 403), (.by("token"), 403), (.by("limited"), 403), (.by("client"), 202), ([:], 202),
            ] as [(HTTPFields, Int)] {
                let answer = try await frontend.get("/component?\(Self.asyn)", headers: headers)
                #expect(answer.status == status, "\(headers): \(answer.text)")
            }
            // The account other changes what client has asked for.
            let other = try await frontend.request(
                .post, "/component", Self.component.replacing("https://git.example.org", with: "https://evil.example.org"),
                headers: .by("other"))
            #expect(other.status == 403)
        }
    }

    @Test("a page of another site cannot have a browser build a component by a GET")
    func crossSite() async throws {
        try await Self.with(git: ["file:///srv/git"]) { frontend in
            let site = HTTPField.Name("Sec-Fetch-Site")!
            for headers in [[site: "cross-site"], [.origin: "https://stranger.example"]] as [HTTPFields] {
                let answer = try await frontend.get("/component?\(Self.asyn)", headers: headers)
                #expect(answer.status == 403, "\(answer.text)")
            }
            #expect(try await frontend.get("/api/1/images/").json["meta"]?["total"] == .integer(0))
            #expect(try await frontend.get("/component?\(Self.asyn)", headers: [site: "same-origin"]).status == 202)
            #expect(try await frontend.get("/component?\(Self.asyn)", headers: [site: "cross-site"]).status == 202)
        }
    }

    @Test("a request for the archive of a component whose build failed gets 404 with the reason, and one for its state gets 200")
    func noArchive() async throws {
        try await Self.with { frontend in
            _ = try await frontend.post(Self.component, to: "/component")
            #expect(try await frontend.get("/component?\(Self.asyn)&form=archive").status == 202)
            #expect(try await frontend.request(.delete, "/api/1/builds/1").status == 202)
            for (query, status) in [("", 200), ("&form=archive", 404)] {
                let answer = try await frontend.get("/component?\(Self.asyn)\(query)")
                #expect(answer.status == status)
                #expect(try answer.json["status"] == .string("failed"))
                #expect(try answer.json["errorMessage"] == .string("Canceled by unknown"))
            }
        }
    }

    @Test("the archive of a component is sent from the registry, and its address is in the answer")
    func archive() async throws {
        try await TestRegistry.with { registry in
            let host = registry.host
            try await Self.with(registry: "\(host)/team") { frontend in
                _ = try await frontend.post(Self.component, to: "/component")
                let image = SmallImage(files: [("bin/asyn", Array("program".utf8))])
                let client = RegistryClient(RegistryConfiguration(isLoopbackInsecure: true), logger: .silent)
                let repository = try registry.repository("team/asyn-component")
                for (descriptor, bytes) in image.blobs { try await client.upload(descriptor, to: repository, BytesContent(bytes)) }
                try await client.put(image.document, to: repository)
                await client.shutdown()
                try await Self.finish(frontend, with: image.document.digest)

                let shown = try await frontend.get("/component?\(Self.asyn)")
                #expect(shown.status == 200, "\(shown.text)")
                #expect(
                    try shown.json["component"]
                        == .string("https://odcs.example.com/component?component=asyn&tag=R1&architecture=rocky9&form=archive"))
                #expect(try shown.json["archiveDigest"] == .string(ImageDigest(of: image.layers[0]).description))
                for (uri, headers) in [
                    ("/component?\(Self.asyn)&form=archive", [:]), ("/component?\(Self.asyn)", [.accept: "application/gzip"]),
                ] as [(String, HTTPFields)] {
                    let archive = try await frontend.client.execute(uri: uri, method: .get, headers: headers) { response in
                        #expect(response.status == .ok)
                        return Array(response.body.readableBytesView)
                    }
                    #expect(archive == image.layers[0])
                }
            }
        }
    }

    @Test("an archive is uploaded as the body or as a part of a form, and becomes a build")
    func upload() async throws {
        try await TestRegistry.with { registry in
            let host = registry.host
            try await Self.with(registry: "\(host)/team") { frontend in
                let archive = SmallImage.tar("bin/asyn", Array("program".utf8))
                let plain = try await Self.send(
                    frontend, .put, "/component?\(Self.asyn)", type: "application/octet-stream", archive)
                #expect(plain.status == 202, "\(plain.text)")
                let fields = [("component", "asyn"), ("tag", "R2"), ("architecture", "rocky9")].map { ($0, Array($1.utf8)) }
                let form = try await Self.send(
                    frontend, .put, "/component", type: "multipart/form-data; boundary=x", Self.form([("file", archive)] + fields))
                #expect(form.status == 202, "\(form.text)")
                for id in 1...2 {
                    let build = try #require(try await frontend.database.store.build(id))
                    #expect(build.request.definition.source == .archive(ImageDigest(of: archive)))
                    #expect(build.request.definition.artifact?.version == "R\(id)")
                }
            }
        }
    }

    @Test(
        "an archive that leads out of its folder is refused, and nothing is kept",
        arguments: [
            ("../evil", UInt8(ascii: "0"), "", #"The archive of the component has the entry "../evil", whose path has a name ..."#),
            ("/etc/passwd", UInt8(ascii: "0"), "", #"The archive of the component has the entry "/etc/passwd", whose path is absolute."#),
            (
                "lib", UInt8(ascii: "2"), "/usr/lib",
                #"The archive of the component has the entry "lib", which is a symbolic link that leads out of the archive."#
            ),
            (
                "a/lib", UInt8(ascii: "2"), "../../lib",
                #"The archive of the component has the entry "a/lib", which is a symbolic link that leads out of the archive."#
            ),
            ("hard", UInt8(ascii: "1"), "/etc/shadow", #"The archive of the component has the entry "hard", whose link is absolute."#),
            (
                "t", UInt8(ascii: "2"), "a/b/../x",
                #"The archive of the component has the entry "t", which is a symbolic link with .. after a name."#
            ),
        ] as [(String, UInt8, String, String)])
    func hostile(path: String, kind: UInt8, link: String, message: String) async throws {
        try await Self.with { frontend in
            let archive = ContextRouteTests.tar(path, kind: kind, link: link)
            let answer = try await Self.send(frontend, .put, "/component?\(Self.asyn)", type: "application/x-tar", archive)
            #expect(answer.status == 400)
            #expect(try answer.message == message)
            #expect(try await frontend.get("/api/1/images/").json["meta"]?["total"] == .integer(0))
        }
    }

    @Test("an archive that is larger than the limit, and a form without an archive, are refused")
    func limits() async throws {
        try await Self.with(configure: { $0.images?.contextBytes = 1000 }) { frontend in
            let archive = SmallImage.tar("x", Array(repeating: 0x41, count: 4000))
            let large = try await Self.send(frontend, .put, "/component?\(Self.asyn)", type: "application/x-tar", archive)
            #expect(large.status == 413)
            #expect(try large.message == "The body is too large; at most 1000 bytes are read.")
            // An archive of 20,000 zeros, by gzip.
            let bomb = try #require(Data(base64Encoded: Self.zeros)).map(\.self)
            for (path, method) in [("/component?\(Self.asyn)", .put), ("/api/1/contexts/", .post)] as [(String, HTTPRequest.Method)] {
                let refused = try await Self.send(frontend, method, path, type: "application/gzip", bomb)
                #expect(refused.status == 400)
                #expect(try refused.message == "The archive has more than 1000 bytes, the most that is accepted.")
            }
            let form = try await Self.send(
                frontend, .put, "/component?\(Self.asyn)", type: "multipart/form-data; boundary=x", Self.form([("note", [0x41])]))
            #expect(
                try form.message
                    == "There is no archive. The body must be a tar archive, which may be compressed with gzip or zstd, or a form with the archive as its part file."
            )
            let small = Array(SmallImage.tar("x", []).prefix(512))
            let two = try await Self.send(
                frontend, .put, "/component?\(Self.asyn)", type: "multipart/form-data; boundary=x",
                Self.form([("file", small), ("file", small)]))
            #expect(try two.message == "The form has more than one part file.")
            for form in [
                Array(repeating: 0x41, count: 70_000) + Self.form([]), Self.form([("file", small)]) + Array(repeating: 0x41, count: 70_000),
            ] {
                let surrounded = try await Self.send(
                    frontend, .put, "/component?\(Self.asyn)", type: "multipart/form-data; boundary=x", form)
                #expect(surrounded.status == 413)
            }
        }
    }
}
