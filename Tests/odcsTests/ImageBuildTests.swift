import ComposeClient
import ComposeModel
import Foundation
import ImageModel
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs image add, build, log, contents, affected")
struct ImageBuildTests {
    private static func image(_ id: Int = 3) throws -> ImageDocument {
        let definition = ImageDefinition(source: .containerfile("FROM scratch\n"), platforms: [try Platform("linux/amd64")])
        return ImageDocument(
            ImageModel.Image(
                id: id, owner: "me", repository: try ImageReference("r.example.org/team/web").repository, definition: definition,
                timeAdded: Date(timeIntervalSince1970: 1_795_255_445)))
    }

    private static func build(_ state: BuildState, step: StepState, at address: String = "", reason: String? = nil) throws -> BuildDocument
    {
        let platform = try Platform("linux/amd64")
        let definition = ImageDefinition(source: .containerfile("FROM scratch\n"), platforms: [platform])
        let build = Build(
            id: 7, owner: "me", image: 3, request: BuildRequest(definition), dateTag: try ImageTag("20261129"), state: state,
            stateReason: reason, digest: state == .done ? ImageDigest(of: [1]) : nil,
            timeSubmitted: Date(timeIntervalSince1970: 1_795_255_445),
            steps: [
                Step(id: 1, build: 7, platform: platform, state: step, attempts: step == .wait ? 0 : 1),
                Step(id: 2, build: 7, platform: nil, state: state == .done ? .done : .wait),
            ])
        return BuildDocument(build, repository: try ImageReference("r.example.org/team/web").repository) { _ in "\(address)/log" }
    }

    /// The service's answer about itself.
    private static func about(_ features: [String]) -> ScriptedService.Answer {
        let names = features.map { "\"\($0)\"" }.joined(separator: ", ")
        return .init(200, "{\"version\": \"1\", \"features\": [\(names)]}", type: "application/json")
    }

    private struct Page<Item: Encodable>: Encodable {
        struct Meta: Encodable {
            var page = 1, pages = 1, per_page = 10, total: Int
        }
        var meta: Meta
        var items: [Item]
        var unknown: UnknownImages?

        init(_ items: [Item], unknown: UnknownImages? = nil) {
            meta = Meta(total: items.count)
            self.items = items
            self.unknown = unknown
        }
    }

    @Test("a build is shown with the change of its packages on each platform, and the findings in words")
    func verification() async throws {
        let platform = try Platform("linux/amd64")
        func contents(_ packages: [String: String]) -> Contents {
            Contents(
                digest: ImageDigest(of: [1]), platform: platform, layers: [],
                state: .read(
                    packages.map { InstalledPackage(name: $0.key, evr: EVR(epoch: 0, version: $0.value, release: "1"), arch: "x86_64") }))
        }
        let verification = Verification(
            from: contents(["zlib": "1", "ed": "2", "gone": "1"]), to: contents(["zlib": "2", "ed": "1", "new": "1"]),
            wanted: [PackageLine(name: "zlib", arch: "x86_64", module: nil): EVR(epoch: 0, version: "3", release: "1")])
        var document = try Self.build(.done, step: .done)
        document.verification = [VerificationDocument(verification, of: platform)]
        let answer = document
        try await ScriptedService.run { service in
            service.next(try .json(answer))
            let run = try await CommandRun.odcs(["image", "builds", "7"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(
                run.out.hasSuffix(
                    """

                    linux/amd64: 3 packages, 1 newer, 1 older, 1 added, 1 gone, 1 too old
                      The new image still has zlib-2-1.x86_64, which is older than 3-1 and is installed by the Containerfile.
                      The new image lacks packages that it had before: gone-1-1.x86_64.
                      The new image has older packages than before: ed-1-1.x86_64 in place of 2-1.
                      ed-2-1.x86_64 -> 1-1
                      zlib-1-1.x86_64 -> 2-1

                    """), "\(run.out)")
            var image = try Self.image()
            image.latestBuild = BuildSummary(id: 7, state: .done)
            service.next(try .json(image), try .json(answer))
            let shown = try await CommandRun.odcs(["image", "get", "3"], server: service.address)
            #expect(shown.out.contains("\n\nlinux/amd64: 3 packages, 1 newer, 1 older, 1 added, 1 gone, 1 too old\n"), "\(shown.out)")
            service.next(try .json(answer))
            let json = try await CommandRun.odcs(["image", "builds", "7", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(BuildDocument.self, from: Data(json.out.utf8)) == answer)
        }
    }

    @Test("the reason of a platform that nothing can build is shown in full, and once while a command waits")
    func reasonOfWaiting() async throws {
        let nodes = (1...9).map { "n\($0) builds linux/amd64" }.joined(separator: "; ")
        let reason = "It waits. No node of the farm f builds linux/s390x. \(nodes)."
        var document = try Self.build(.wait, step: .wait)
        document.steps[0].stateReason = reason
        let waiting = document
        try await ScriptedService.run { service in
            service.next(try .json(waiting))
            let shown = try await CommandRun.odcs(["image", "builds", "7"], server: service.address)
            #expect(shown.out.contains("  wait  0 attempts  \(reason)\n"), "\(shown.out)")
            var building = try Self.build(.building, step: .running)
            building.steps[0].stateReason = "This is attempt 2."
            service.next(
                try .json(waiting), Self.about(["build-wait"]), try .json(waiting), try .json(building),
                try .json(try Self.build(.done, step: .done)))
            let run = try await CommandRun.odcs(["image", "wait", "7"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(run.err.hasPrefix("build 7: linux/amd64 wait: \(reason)\nbuild 7: wait\nbuild 7: linux/amd64 running"), "\(run.err)")
        }
    }

    @Test("build looks the image up, waits, prints a line for each change and then the digest")
    func build() async throws {
        try await ScriptedService.run { service in
            service.next(
                try .json(Page([try Self.image()])), try .json(try Self.build(.wait, step: .wait)),
                try .json(try Self.build(.wait, step: .wait)), Self.about(["build-wait"]),
                try .json(try Self.build(.building, step: .running)), try .json(try Self.build(.done, step: .done)))
            let run = try await CommandRun.odcs(
                ["image", "build", "team/web", "--compose", "12", "--arg", "VERSION=2", "--no-latest"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(
                run.err == """
                    build 7: wait
                    build 7: linux/amd64 running
                    build 7: building
                    build 7: linux/amd64 done
                    build 7: manifest list done
                    build 7: done

                    """)
            #expect(
                run.out == """
                    Build 7 of r.example.org/team/web is done.
                      image      r.example.org/team/web:20261129
                      digest     \(ImageDigest(of: [1]))
                      platforms  linux/amd64

                    """)
            #expect(service.lines[0].hasPrefix("GET /api/1/images?per_page=100&repository=team"))
            #expect(service.lines[1] == "POST /api/1/images/3/builds")
            let sent = try JSONDecoder().decode(BuildSubmission.self, from: service.calls[1].body)
            #expect(sent.composes == [12])
            #expect(sent.arguments == ["VERSION": "2"])
            #expect(sent.movesLatest == false)
            // Changes of steps are printed, so the service waits for a short time only.
            #expect(
                service.lines[2...].map { $0.split(separator: "?").last } == [
                    "GET /api/1/builds/7", "GET /api/1/about/", "wait=2", "wait=2",
                ])
        }
    }

    @Test(
        "a quiet command lets the service wait for the end of a build, if the service announces that",
        arguments: [(["build-wait", "wait"], "GET /api/1/builds/7?wait=30"), (["wait"], "GET /api/1/builds/7")])
    func waitsQuietly(features: [String], look: String) async throws {
        try await ScriptedService.run { service in
            service.next(
                try .json(try Self.build(.building, step: .running)), Self.about(features), try .json(try Self.build(.done, step: .done)))
            let run = try await CommandRun.odcs(["image", "wait", "7", "--quiet"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(service.lines == ["GET /api/1/builds/7", "GET /api/1/about/", look])
        }
    }

    @Test("a build that failed gives the reason and the exit status 1, and --no-wait does not wait")
    func failed() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(try Self.build(.failed, step: .failed, reason: "RUN dnf exited with 1")))
            let run = try await CommandRun.odcs(["image", "wait", "7", "--quiet"], server: service.address)
            #expect(run.status == .composeFailed)
            #expect(run.out == "Build 7 of r.example.org/team/web failed: RUN dnf exited with 1\nLog: odcs image log 7\n")
            service.next(try .json(try Self.image()), try .json(try Self.build(.wait, step: .wait)))
            let accepted = try await CommandRun.odcs(["image", "build", "3", "--no-wait"], server: service.address)
            #expect(accepted.out == "Build 7 of r.example.org/team/web is accepted: wait.\nNext: odcs image wait 7\n")
        }
    }

    @Test("wait --watch prints the log instead of the changes, --quiet prints neither, and --no-wait shows what is")
    func waiting() async throws {
        try await ScriptedService.run { service in
            let build = try Self.build(.done, step: .done, at: service.address)
            service.next(try .json(build), .init(206, "STEP 1\nSTEP 2"))
            let watched = try await CommandRun.odcs(["image", "wait", "7", "--watch"], server: service.address)
            #expect(watched.out.hasPrefix("[linux/amd64] STEP 1\n"), "\(watched.out)")
            service.next(try .json(try Self.build(.building, step: .running)), Self.about([]), try .json(build))
            let quiet = try await CommandRun.odcs(["image", "wait", "7", "--quiet"], server: service.address)
            #expect(quiet.err == "")
            service.next(try .json(try Self.build(.building, step: .running)))
            let asked = try await CommandRun.odcs(["image", "wait", "7", "--no-wait"], server: service.address)
            #expect(asked.status == .success)
        }
    }

    @Test("log prints the lines of the log")
    func log() async throws {
        try await ScriptedService.run { service in
            let build = try Self.build(.done, step: .done, at: service.address)
            service.next(try .json(build), try .json(build), .init(206, "STEP 1\nSTEP 2"))
            let run = try await CommandRun.odcs(["image", "log", "7"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(run.out == "STEP 1\nSTEP 2\n")
        }
    }

    @Test("add uploads a folder as a compressed tar, and the same folder again gives the same bytes, whatever its ignored files are")
    func add() async throws {
        try await ScriptedService.run { service in
            let context = ContextDocument(digest: ImageDigest(of: [2]), bytes: 1)
            for ignored in ["x", "yy"] {
                service.next(try .json(context), try .json(try Self.image()))
                let run = try await CommandRun.odcs(
                    ["image", "add", "team/web", "web", "--platform", "armhf"], server: service.address,
                    files: [
                        "web/Containerfile": "FROM scratch\nCOPY a /\n", "web/a/b.txt": "text\n", "web/.dockerignore": "**/*.o\n/Cont*\n",
                        "web/a/\(ignored).o": ignored,
                    ])
                #expect(run.status == .success, "\(run.err)")
                #expect(run.out == "r.example.org/team/web is image 3.\nNext: odcs image build r.example.org/team/web\n")
            }
            #expect(service.lines == ["POST /api/1/contexts", "POST /api/1/images", "POST /api/1/contexts", "POST /api/1/images"])
            #expect(service.calls[0].body == service.calls[2].body)
            #expect(service.calls[0].body.starts(with: [0x28, 0xB5, 0x2F, 0xFD]), "Zstandard")
            let sent = try JSONDecoder().decode(ImageSubmission.self, from: service.calls[1].body)
            #expect(sent.repository == "team/web")
            #expect(sent.definition.source.archive == context.digest)
            #expect(sent.definition.platforms == ["linux/arm/v7"])
        }
    }

    @Test("add takes a Containerfile or a git address, and explains a folder without a Containerfile")
    func sources() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(try Self.image()), try .json(try Self.image()))
            let files = ["C": "FROM scratch\n", "empty/x": ""]
            _ = try await CommandRun.odcs(["image", "add", "a", "C"], server: service.address, files: files)
            _ = try await CommandRun.odcs(["image", "add", "a", "https://g.example.org/x.git#main:d"], server: service.address)
            let sources = try service.calls.map { try JSONDecoder().decode(ImageSubmission.self, from: $0.body).definition.source }
            #expect(sources[0].containerfile == "FROM scratch\n")
            #expect(sources[1].git == .init(url: "https://g.example.org/x.git", reference: "main", folder: "d"))
            let empty = try await CommandRun.odcs(["image", "add", "a", "empty"], server: service.address, files: files)
            #expect(empty.err == "odcs: the folder \"empty\" has neither a Containerfile nor a Dockerfile\n")
        }
    }

    @Test("add takes tags, caches, the needs of a build, and the request for its packages")
    func settings() async throws {
        let files = [
            "C": "FROM scratch\n",
            "content.json": #"{"source": {"type": "repo", "source": "/srv/repo", "packages": ["ed"]}, "arches": ["x86_64"]}"#,
            "bad.json": "{}",
        ]
        try await ScriptedService.run { service in
            service.next(try .json(try Self.image()))
            let options = ["--tag", "v1-{date}", "--tag", "stable", "--cache", "c=/cache", "--disk", "10GB", "--memory", "512 MB"]
            let run = try await CommandRun.odcs(
                ["image", "add", "a", "C", "--content", "content.json"] + options, server: service.address, files: files)
            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(ImageSubmission.self, from: service.calls[0].body).definition
            #expect(sent.tags == ["v1-{date}", "stable"])
            #expect(sent.caches == ["c": "/cache"])
            #expect([sent.diskMegabytes, sent.memoryMegabytes] == [10_000, 512])
            var content = ComposeSubmission(source: .init(type: "repo", source: "/srv/repo", packages: ["ed"]))
            content.arches = ["x86_64"]
            #expect(sent.content == content)
            let bad = try await CommandRun.odcs(["image", "add", "a", "C", "--content", "bad.json"], server: service.address, files: files)
            #expect(bad.err.hasPrefix("odcs: \"bad.json\" has no request for a compose; write it as "), "\(bad.err)")
            let size = try await CommandRun.odcs(["image", "add", "a", "C", "--disk", "10"], server: service.address, files: files)
            #expect(size.err.contains("\"10\" is no size; write it as 10GB or 512MB"), "\(size.err)")
        }
    }

    @Test("add takes the images of an inventory, parents first, and refuses what the service cannot build before anything is sent")
    func inventory() async throws {
        let files = [
            "inv/inventory.yaml": """
            images:
              web: {containerfile: web, platforms: [linux/amd64], parents: {BASE: base}, context: files}
              base: {containerfile: base, platforms: [linux/amd64], requires: {host: rhel}, tags: {final: ["{date}"]}}

            """,
            "inv/web": "ARG BASE\nFROM $BASE\nCOPY a /\n", "inv/base": "FROM scratch\n", "inv/files/a": "text",
        ]
        try await ScriptedService.run { service in
            let context = ContextDocument(digest: ImageDigest(of: [2]), bytes: 1)
            service.next(try .json(try Self.image()), try .json(context), try .json(try Self.image(4)))
            let run = try await CommandRun.odcs(["image", "add", "--inventory", "inv"], server: service.address, files: files)
            #expect(run.status == .success, "\(run.err)")
            #expect(service.lines == ["POST /api/1/images", "POST /api/1/contexts", "POST /api/1/images"])
            let sent = try [0, 2].map { try JSONDecoder().decode(ImageSubmission.self, from: service.calls[$0].body) }
            #expect(sent.map(\.repository) == ["base", "web"])
            #expect(sent[0].definition.requires == ["host": "rhel"])
            #expect(sent[0].definition.movesLatest == false)
            #expect(sent[1].definition.arguments == ["BASE": "r.example.org/team/web"])
            #expect(sent[1].definition.source.archive == context.digest)
            #expect(run.err == "")
        }
        try await ScriptedService.run { service in
            let settings = files.merging([
                "inv/inventory.yaml": """
                images:
                  base:
                    containerfile: base
                    platforms: [linux/amd64]
                    caches: {ccache: /var/cache/ccache}
                    packages: [ed]
                    disk: 10 GB
                    memory: 512 MB
                    tags: {platform: "p-{platform}-{date}", final: [stable, "v1-{date}", latest]}
                    content: {source: {type: tag, source: f26}}

                """
            ]) { $1 }
            service.next(try .json(try Self.image()))
            let run = try await CommandRun.odcs(["image", "add", "--inventory", "inv"], server: service.address, files: settings)
            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(ImageSubmission.self, from: service.calls[0].body).definition
            #expect(sent.caches == ["ccache": "/var/cache/ccache"])
            #expect(sent.tags == ["stable", "v1-{date}"])
            #expect(sent.movesLatest == true)
            #expect([sent.diskMegabytes, sent.memoryMegabytes] == [10_000, 512])
            #expect(sent.content == ComposeSubmission(source: .init(type: "tag", source: "f26", packages: ["ed"])))
            #expect(
                run.err == """
                    odcs: base: platforms get the tag image-{platform}-{date}, and not p-{platform}-{date}
                    odcs: base: each manifest list gets the tag of its date too

                    """)
        }
        try await ScriptedService.run { service in
            let differing = files.merging([
                "inv/inventory.yaml": "images:\n  a: {template: a, platforms: [linux/amd64, linux/arm64]}\n",
                "inv/templates/a.mustache": "FROM scratch\nLABEL p={{platform}}\n",
            ]) { $1 }
            let run = try await CommandRun.odcs(["image", "add", "--inventory", "inv"], server: service.address, files: differing)
            #expect(
                run.err
                    == "odcs: a has another Containerfile for each platform, and the service takes one; use ARG TARGETARCH instead\n")
            #expect(service.lines.isEmpty)
        }
    }

    @Test("contents prints packages as rpm does, and unknown contents end with 1")
    func contents() async throws {
        try await ScriptedService.run { service in
            let platform = try Platform("linux/amd64")
            let package = InstalledPackage(
                name: "openssl-libs", evr: EVR(epoch: 1, version: "3.0.7", release: "27.el9"), arch: "x86_64")
            let repository = try ImageReference("r.example.org/team/web").repository
            for state in [Contents.State.read([package]), .unknown("the format is ndb")] {
                let digest = ImageDigest(of: [1])
                let contents = Contents(digest: digest, platform: platform, state: state)
                service.next(
                    try .json(try Self.image()),
                    try .json(
                        ContentsDocument(
                            image: 3, repository: repository, manifests: [.init(platform: platform, digest: digest, contents: contents)])))
            }
            let known = try await CommandRun.odcs(["image", "contents", "3", "--platform", "amd64"], server: service.address)
            #expect(known.status == .success)
            #expect(known.out == "openssl-libs-1:3.0.7-27.el9.x86_64\n")
            let unknown = try await CommandRun.odcs(["image", "contents", "3"], server: service.address)
            #expect(unknown.status == .composeFailed)
            #expect(unknown.out == "")
            #expect(unknown.err == "linux/amd64 \(ImageDigest(of: [1])): unknown: the format is ndb\n")
        }
    }

    @Test("affected lists images, and those whose packages are not known apart")
    func affected() async throws {
        try await ScriptedService.run { service in
            let platform = try Platform("linux/amd64")
            let repository = try ImageReference("r.example.org/team/web").repository
            let old = InstalledPackage(name: "ed", evr: EVR(version: "1", release: "1"), arch: "x86_64")
            let item = AffectedDocument(
                image: 3, repository: repository, owner: "me",
                manifests: [.init(platform: platform, digest: ImageDigest(of: [1]), packages: [old])])
            let unknown = UnknownDocument(image: 4, repository: repository, platform: platform, digest: ImageDigest(of: [2]), problem: nil)
            service.next(try .json(Page([item], unknown: UnknownImages(total: 1, items: [unknown]))))
            let run = try await CommandRun.odcs(["image", "affected", "ed", "--older-than", "1-2"], server: service.address)
            #expect(run.status == .success)
            #expect(
                run.out == """
                    ID  IMAGE                   PLATFORM     HAS            OWNER
                    3   r.example.org/team/web  linux/amd64  ed-1-1.x86_64  me

                    """)
            #expect(run.err == "The packages of 1 image are not known:\n  r.example.org/team/web linux/amd64: not read yet\n")
            #expect(service.lines == ["GET /api/1/images?contains=ed&older_than=1-2"])
        }
    }

    @Test(
        "each command has an example in its help",
        arguments: [
            "add", "list", "get", "remove", "contents", "diff", "affected", "build", "builds", "wait", "log", "cancel", "login",
        ])
    func help(command: String) async throws {
        let run = try await CommandRun.odcs(["image", command, "--help"])
        #expect(run.status == .success)
        #expect(run.out.contains("EXAMPLE"))
    }
}
