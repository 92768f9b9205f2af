import ComposeModel
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Processes
import SystemPackage
import Testing

@testable import BuildNodes

/// The way from a fix to rebuilt images, by commands.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ImageRebuildTests {
    private static let isEmulated = geteuid() == 0 && Platform.host.architecture == "amd64"

    @Test("a fix reaches the images with the older package on every platform, and two rebuilds at once build each image once")
    func fix() async throws {
        // Only root can register an emulator. Others build for the platform of the host.
        guard Self.isEmulated else { return try await fix(on: [.host]) }
        try await EmulatorRegistration.exclusively {
            let registration = try EmulatorRegistration()
            defer { registration.remove() }
            try await fix(on: [Platform("linux/amd64"), Platform("linux/arm64")])
        }
    }

    @Test("an image with a content is built from it without a network, and a rebuild adds the fix to it")
    func content() async throws {
        try await ImageService.with(images: "contents_seconds: 1") { images in
            try await images.serve { server in
                let team = Team(images: images, server: server, platforms: [.host])
                try await team.buildOS()
                let folder = try images.folder(
                    "tool",
                    """
                    FROM \(team.repository("os")) AS installer
                    RUN dnf -y --installroot=/tree install ed-dictionary
                    FROM scratch
                    COPY --from=installer /tree /

                    """)
                let content = folder.appending("content.json")
                let source = #"{"type": "repo", "source": "\#(Checkout.testsRepo)", "packages": ["ed-dictionary-20190101"]}"#
                try Data(#"{"source": \#(source), "flags": ["no_deps"]}"#.utf8).write(to: URL(filePath: content.string))
                try await server.succeed("image", "add", "team/tool", folder.string, "--content", content.string)
                let build: BuildDocument = try await server.document("image", "build", "team/tool")
                #expect(build.composes == [1])
                let old = try await team.packages(of: "tool", .host)
                #expect(old.count == 1 && old[0].hasPrefix("ed-dictionary-20190101"), "\(old)")

                try await server.succeed("submit", "repo", Checkout.testsRepo.string, "ed-dictionary", "--no-deps", "--arch", "x86_64")
                let rebuild: RebuildDocument = try await server.document("rebuild", "--compose", "2", "--wait")
                #expect(rebuild.stateName == "done")
                #expect(try await team.builds(of: "tool").first?.composes == [2, 3])
                #expect(try await team.packages(of: "tool", .host) == ["ed-dictionary-1:2.0-1.noarch"])
            }
        }
    }

    private func fix(on platforms: [Platform]) async throws {
        try await ImageService.with(images: "slots: 2, contents_seconds: 1") { images in
            try await images.serve { server in
                let team = Team(images: images, server: server, platforms: platforms)
                try await team.buildAll()
                let before = try await team.digests()
                try await server.succeed(
                    "submit", "repo", Checkout.testsRepo.string, "ed-dictionary", "--no-deps", "--arch", "x86_64", "--arch", "aarch64")

                let plan = try await team.plan(with: 2)
                #expect(plan.filter(\.isBuilt).map(\.repository) == ["base", "app", "web"].map(team.repository))
                #expect(plan.filter { !$0.isBuilt }.map(\.repository) == [team.repository("vendor")])
                for row in plan where row.isBuilt { #expect(Set(row.findings.map(\.platform)) == Set(platforms.map(\.description))) }
                let vendor = try #require(plan.first { !$0.isBuilt })
                #expect(vendor.decision == "cannot-help")
                #expect(vendor.reason.hasPrefix("cannot be fixed by rebuilding: comes with \(images.registry.host)/foreign/os:1"))
                #expect(try await team.digests() == before)

                async let one: RebuildDocument = server.document("rebuild", "--compose", "2", "--advisory", "EXAMPLE-2026:1", "--wait")
                async let other: RebuildDocument = server.document("rebuild", "--compose", "2", "--wait")
                let rebuilds = try await [one, other]
                #expect(rebuilds.map(\.stateName) == ["done", "done"])
                let after = try await team.digests()
                for name in ["base", "app", "web"] {
                    let builds = try await team.builds(of: name)
                    #expect(builds.count == 2, "\(name) was built once for both rebuilds.")
                    #expect(after[name] == builds.first?.digest)
                    #expect(after[name] != before[name])
                    #expect(try await images.digest("team/\(name)", tag: try #require(before[name]).description) == before[name])
                    for platform in platforms {
                        #expect(try await team.packages(of: name, platform) == ["ed-dictionary-1:2.0-1.noarch"])
                    }
                }
                #expect(after["tools"] == before["tools"])
                #expect(after["vendor"] == before["vendor"])

                // The way from the image to the advisory, and the check without the service.
                let why = try await server.succeed("image", "why", "team/web", "--package", "ed-dictionary").output
                let ofBase = try #require(try await team.builds(of: "base").first)
                for text in ["\(team.repository("base"))@", "build     \(ofBase.id)", "compose   2", "advisory  EXAMPLE-2026:1"] {
                    #expect(why.contains(text), "\(why)")
                }
                for name in ["base", "web"] {
                    let proof = try await server.succeed("image", "verify", "\(team.repository(name)):latest", "--insecure").output
                    #expect(proof.contains("because of   compose 2: EXAMPLE-2026:1\n"), "\(proof)")
                    #expect(!proof.contains("no SBOM"))
                    #expect(proof.hasSuffix("The image is as the statement says.\n"), "\(proof)")
                }

                // Nothing is older any more.
                #expect(try await team.plan(with: 2).filter(\.isBuilt) == [])
            }
        }
    }
}

/// The images of a team. `base` installs a package, `app` and `web` build on it, `tools` does not have the
/// package, and `vendor` builds on an image that the service does not build.
private struct Team {
    let images: ImageService
    let server: ServerProcess
    let platforms: [Platform]

    func repository(_ name: String) -> String { "\(images.registry.host)/team/\(name)" }

    /// Builds all images with the old package.
    func buildAll() async throws {
        try await server.succeed(
            "submit", "repo", Checkout.testsRepo.string, "ed-dictionary-20190101", "--no-deps", "--arch", "x86_64", "--arch", "aarch64")
        try await buildOS()

        // The packages of another platform are installed by programs of the host. The last RUN is emulated.
        let base = try images.folder(
            "base",
            """
            FROM --platform=$BUILDPLATFORM \(repository("os")) AS installer
            ARG TARGETARCH
            RUN case $TARGETARCH in arm64) arch=aarch64;; *) arch=x86_64;; esac; \\
                dnf -y --installroot=/tree --forcearch=$arch install ed-dictionary
            FROM scratch
            COPY --from=installer /tree /
            ARG TARGETARCH
            COPY run-$TARGETARCH /run-here
            RUN ["/run-here"]

            """)
        for platform in platforms {
            let file = base.appending("run-\(platform.architecture)")
            try Data(#require(ProbeProgram(for: platform)).bytes).write(to: URL(filePath: file.string))
            chmod(file.string, 0o755)
        }
        try await add("base", base, on: platforms)
        try await server.succeed("image", "build", "team/base", "--compose", "1")
        try await Program.succeed(
            "skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://\(repository("base"))",
            "docker://\(images.registry.host)/foreign/os:1")
        for (name, parent) in [("app", repository("base")), ("web", repository("app"))] {
            try await add(name, images.folder(name, "FROM \(parent)\nCOPY Containerfile /\(name)\n"), on: platforms)
            try await server.succeed("image", "build", "team/\(name)")
        }
        try await add("tools", images.folder("tools", "FROM \(repository("os"))\nCOPY Containerfile /tools\n"), on: [.host])
        let vendor = "FROM \(images.registry.host)/foreign/os:1\nCOPY Containerfile /vendor\n"
        try await add("vendor", images.folder("vendor", vendor), on: [.host])
        try await server.succeed("image", "build", "team/tools", "team/vendor")
    }

    /// Builds an image with dnf.
    func buildOS() async throws {
        let os = try images.folder("os", "FROM scratch\nCOPY root /\nENV PATH=/usr/bin:/usr/sbin LC_ALL=C.UTF-8\n")
        try await Program.succeed(Checkout.directory.appending("scripts/image-root").string, os.appending("root").string)
        // buildah 1.28 looks for the platform of the build in a list, although FROM names another one.
        try await add("os", os, on: platforms)
        try await server.succeed("image", "build", "team/os")
    }

    private func add(_ name: String, _ folder: FilePath, on platforms: [Platform]) async throws {
        let program = try await server.odcs(
            ["image", "add", "team/\(name)", folder.string] + platforms.flatMap { ["--platform", "\($0)"] })
        guard program.isSuccess else { throw program }
    }

    /// The plan of a rebuild, as soon as the packages of the foreign base are known.
    func plan(with compose: Int) async throws -> [RebuildDocument.Row] {
        while true {
            let shown: RebuildDocument = try await server.document("rebuild", "--compose", "\(compose)", "--dry-run")
            if shown.plan.first(where: { $0.repository == repository("vendor") })?.decision == "cannot-help" { return shown.plan }
            try Task.checkCancellation()
        }
    }

    /// The digests that the tag `latest` of each image shows.
    func digests() async throws -> [String: ImageDigest] {
        var digests: [String: ImageDigest] = [:]
        for name in ["base", "app", "web", "tools", "vendor"] { digests[name] = try await images.digest("team/\(name)") }
        return digests
    }

    /// The builds of an image, the newest first.
    func builds(of name: String) async throws -> [BuildDocument] {
        struct List: Decodable { let items: [BuildDocument] }
        let list: List = try await server.document("image", "builds", "--image", "team/\(name)")
        return list.items
    }

    /// The packages of the published image, as they are read from the registry.
    func packages(of name: String, _ platform: Platform) async throws -> [String] {
        let shown = try await server.succeed("image", "contents", "team/\(name)", "--platform", "\(platform)").output
        return shown.split(separator: "\n").map(String.init).filter { !$0.hasPrefix(platform.description) }
    }
}
