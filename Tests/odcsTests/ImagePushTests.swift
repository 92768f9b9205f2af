import Foundation
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

@testable import odcs

/// A generated tree that real make and podman build, for a real registry.
@Suite("odcs image push, and make push", .timeLimit(.minutes(5)))
struct ImagePushTests {
    private static let files = [
        "inventory.yaml": """
        images:
          base: {containerfile: base, platforms: [linux/amd64, linux/arm64], context: files}
          team/web:
            {containerfile: web, platforms: [linux/amd64, linux/arm64], parents: {BASE: base}, tags: {final: ["{date}", stable]}}

        """,
        "base": "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n", "files/amd64": "amd64\n", "files/arm64": "arm64\n",
        "web": "ARG BASE\nFROM $BASE\nCOPY Containerfile /web\n",
    ]

    private struct World {
        let registry: TestRegistry
        let podman: TestPodman
        var tree: String { "\(podman.directory)/tree" }
        var date: String {
            get throws {
                try String(contentsOfFile: "\(tree)/date-tag", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }

        /// The options and variables of a registry on this host without TLS.
        static let plain = ["DPDK_CI_CONTAINERS_EXTRA_PUSH_ARGS": "--tls-verify=false"]

        func generate(_ options: String...) async throws {
            let inventory = podman.directory.appending("inventory")
            for (name, text) in ImagePushTests.files {
                let file = inventory.appending(FilePath(name).components)
                try FileManager.default.createDirectory(
                    atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
                try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            }
            let run = try await odcs(
                ["generate", "--inventory", inventory.string, "--into", tree, "--registry", "\(registry.host)"] + options)
            #expect(run.status == .success, "\(run.err)")
        }

        func odcs(_ arguments: [String], _ more: [String: String] = [:]) async throws -> CommandRun {
            try await CommandRun.odcs(["image"] + arguments, environment: podman.environment.merging(more) { $1 })
        }

        func make(_ arguments: String..., with more: [String: String] = plain) async throws -> (
            out: String, err: String, isSuccess: Bool
        ) {
            try await podman.run("make", ["-s", "-C", tree] + arguments, more)
        }

        func tags(_ image: String) async throws -> Set<String> {
            struct List: Decodable { let Tags: [String] }
            let list = try await podman.run("skopeo", ["list-tags", "--tls-verify=false", "docker://\(registry.host)/\(image)"])
            return list.isSuccess ? Set(try JSONDecoder().decode(List.self, from: Data(list.out.utf8)).Tags) : []
        }

        /// Returns the architecture of an image, as skopeo chooses it from a list.
        func architecture(of reference: String, for architecture: String) async throws -> String {
            struct Configuration: Decodable { let architecture: String }
            let inspected = try await podman.run(
                "skopeo",
                ["--override-arch", architecture, "inspect", "--config", "--tls-verify=false", "docker://\(registry.host)/\(reference)"])
            return try JSONDecoder().decode(Configuration.self, from: Data(inspected.out.utf8)).architecture
        }

        func digest(of reference: String) async throws -> String {
            let raw = try await podman.run("skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.host)/\(reference)"])
            return ImageDigest(of: Array(raw.out.utf8)).description
        }
    }

    private static func with(passwords: Bool = false, _ body: @escaping @Sendable (World) async throws -> Void) async throws {
        try await TestRegistry.with(passwords: passwords) { registry in
            try await TestPodman.with { podman in try await body(World(registry: registry, podman: podman)) }
        }
    }

    @Test("make build push gives each platform its tag, and then the list the date and latest")
    func makePush() async throws {
        try await Self.with { world in
            try await world.generate()
            let run = try await world.make("-j2", "build", "push")
            #expect(run.isSuccess, "\(run.err)")
            let date = try world.date
            #expect(try await world.tags("base") == ["image-linux-amd64-\(date)", "image-linux-arm64-\(date)", date, "latest"])
            #expect(try await world.tags("team/web") == ["image-linux-amd64-\(date)", "image-linux-arm64-\(date)", date, "stable"])
            for architecture in ["amd64", "arm64"] {
                #expect(try await world.architecture(of: "base:latest", for: architecture) == architecture)
                #expect(try await world.architecture(of: "team/web:\(date)", for: architecture) == architecture)
            }
        }
    }

    @Test("push_manifests works alone after push_images, leaves latest if that is asked for, and is refused in builder mode")
    func makeManifests() async throws {
        try await Self.with { world in
            try await world.generate()
            #expect(try await world.make("-j2", "build").isSuccess)
            #expect(try await world.make("push_images").isSuccess)
            let date = try world.date
            let images: Set = ["image-linux-amd64-\(date)", "image-linux-arm64-\(date)"]
            #expect(try await world.tags("base") == images)
            let builder = try await world.make(
                "push_manifests", with: World.plain.merging(["DPDK_CI_CONTAINERS_BUILDER_MODE": "Y"]) { $1 })
            #expect(!builder.isSuccess)
            #expect(
                builder.err.contains(
                    "push_manifests: this is builder mode (DPDK_CI_CONTAINERS_BUILDER_MODE=Y), which makes no manifest lists"))
            #expect(try await world.tags("base") == images)
            let lists = try await world.make(
                "push_manifests", with: World.plain.merging(["DPDK_CI_CONTAINERS_NO_LATEST_TAG": "Y"]) { $1 })
            #expect(lists.isSuccess, "\(lists.err)")
            #expect(try await world.tags("base") == images.union([date]))
            #expect(try await world.make("push_manifests").isSuccess)
            #expect(try await world.tags("base") == images.union([date, "latest"]))
        }
    }

    @Test("push sends the images, checks them, writes the lists, and prints every tag with its digest")
    func push() async throws {
        try await Self.with { world in
            try await world.generate()
            #expect(try await world.make("-j2", "build").isSuccess)
            let date = try world.date
            let run = try await world.odcs(["push", world.tree, "--insecure"])
            #expect(run.status == .success, "\(run.err)")
            let rows = run.out.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true).map(String.init) }
            #expect(
                rows.map(\.first) == [
                    "REFERENCE", "\(world.registry.host)/base:image-linux-amd64-\(date)",
                    "\(world.registry.host)/base:image-linux-arm64-\(date)",
                    "\(world.registry.host)/team/web:image-linux-amd64-\(date)",
                    "\(world.registry.host)/team/web:image-linux-arm64-\(date)",
                    "\(world.registry.host)/base:\(date)", "\(world.registry.host)/base:latest", "\(world.registry.host)/team/web:\(date)",
                    "\(world.registry.host)/team/web:stable",
                ])
            #expect(try await world.digest(of: "base:latest") == rows[6][1])
            for architecture in ["amd64", "arm64"] {
                #expect(try await world.architecture(of: "team/web:stable", for: architecture) == architecture)
            }
            // Lists of equal images are equal.
            let again = try await world.odcs(["push", world.tree, "--lists-only", "--insecure", "--json"])
            #expect(again.status == .success, "\(again.err)")
            #expect(again.out.contains("\"digest\": \"\(rows[6][1])\""))
            // The Makefile refuses to write lists with docker.
            let docker = "\(world.podman.directory)/docker"
            try FileManager.default.createSymbolicLink(atPath: docker, withDestinationPath: "/usr/bin/podman")
            let other = try await world.odcs(
                ["push", world.tree], World.plain.merging(["DPDK_CI_CONTAINER_BUILDER_PROGRAM": docker]) { $1 })
            #expect(other.status == .success, "\(other.err)")
            #expect(other.out == run.out)
        }
    }

    @Test("the images alone move no tag of a list, and the lists alone are refused if an image is missing or another one")
    func parts() async throws {
        try await Self.with { world in
            try await world.generate()
            #expect(try await world.make("-j2", "build").isSuccess)
            let date = try world.date
            let early = try await world.odcs(["push", world.tree, "--lists-only", "--insecure"])
            #expect(early.status == .error)
            #expect(
                early.err
                    == "odcs: the registry has no \(world.registry.host)/base:image-linux-amd64-\(date); no manifest list was written. Push the images first\n"
            )
            let images = try await world.odcs(["push", world.tree, "--images-only", "--insecure"])
            #expect(images.status == .success, "\(images.err)")
            #expect(try await world.tags("team/web") == ["image-linux-amd64-\(date)", "image-linux-arm64-\(date)"])
            let base = "docker://\(world.registry.host)/base:image-linux-"
            let copy = try await world.podman.run(
                "skopeo", ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "\(base)amd64-\(date)", "\(base)arm64-\(date)"])
            #expect(copy.isSuccess)
            let wrong = try await world.odcs(["push", world.tree, "--lists-only"], World.plain)
            #expect(
                wrong.err
                    == "odcs: \(world.registry.host)/base:image-linux-arm64-\(date) is an image for linux/amd64, and not for linux/arm64; no manifest list was written\n"
            )
            #expect(try await world.tags("team/web").count == 2)
            let builder = try await world.odcs(["push", world.tree, "--lists-only"], ["DPDK_CI_CONTAINERS_BUILDER_MODE": "Y"])
            #expect(builder.err == "odcs: this is builder mode (DPDK_CI_CONTAINERS_BUILDER_MODE=Y), which makes no manifest lists\n")
        }
    }

    @Test("credentials in the options of a push count for the lists too")
    func credentials() async throws {
        try await Self.with(passwords: true) { world in
            try await world.generate("--no-latest")
            #expect(try await world.make("-j2", "build").isSuccess)
            let refused = try await world.odcs(["push", world.tree, "--lists-only", "--insecure"])
            #expect(refused.status == .error)
            let options = "--tls-verify=false --creds=\(TestRegistry.user):\(TestRegistry.password)"
            let run = try await world.odcs(["push", world.tree], ["DPDK_CI_CONTAINERS_EXTRA_PUSH_ARGS": options])
            #expect(run.status == .success, "\(run.err)")
            #expect(!run.out.contains(":latest"))
            #expect(!(run.out + run.err).contains(TestRegistry.password))
        }
    }

    @Test("a folder that is no tree, and a tree without a registry, are explained")
    func unusable() async throws {
        let files = [
            "other/Makefile": "all:\n", "inv/inventory.yaml": "images:\n  a: {containerfile: c, platforms: [linux/amd64]}\n",
            "inv/c": "FROM scratch\n",
        ]
        let other = try await CommandRun.odcs(["image", "push", "other"], files: files)
        #expect(other.err == "odcs: the folder other is not one that 'odcs image generate' wrote\n")
        let directory = try TemporaryDirectory(files: files)
        let environment = ["PATH": "/usr/bin:/bin"]
        let tree = "\(directory.path)/tree"
        _ = try await CommandRun.odcs(["image", "generate", "--inventory", "\(directory.path)/inv", "--into", tree])
        let local = try await CommandRun.odcs(["image", "push", tree], environment: environment)
        #expect(
            local.err
                == "odcs: the registry of the tree is localhost, so its images stay in local storage; name a registry with "
                + "'odcs image generate --registry' or DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME, and build again\n")
        let both = try await CommandRun.odcs(["image", "push", tree, "--images-only", "--lists-only"])
        #expect(both.status == .usage)
        #expect(try await CommandRun.odcs(["image", "push", "--help"]).out.contains("EXAMPLES"))
    }
}
