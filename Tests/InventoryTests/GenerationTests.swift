import Foundation
import ImageModel
import Inventory
import Subprocess
import SystemPackage
import Testing

@Suite("Generated Makefiles")
struct GenerationTests {
    private static let files = [
        "inventory.yaml": """
        parameters:
          url: {env: T_URL, default: "https://example.org/$(touch make)`touch sh`#'\\"\\\\", argument: URL}
          tools: {env: T_TOOLS, values: folder}
          quick: {env: LD_PRELOAD, values: [Y, N]}
        images:
          base: {containerfile: base, platforms: [linux/amd64, linux/arm64], context: files}
          team/web:
            containerfile: web
            platforms: [linux/amd64, linux/arm64]
            parents: {BASE: base}
            arguments: {COLOR: "red $(touch arg) `touch sh` 'x' \\"y\\" #z \\\\"}
            network: host

        """,
        "base": "FROM scratch\nARG URL\nCOPY x /x\n", "files/x": "", "files/sub/y": "",
        "web": "ARG BASE\nFROM $BASE\nARG COLOR\nCOPY --from=tools . /tools\n",
    ]

    /// A generated tree, with a program that prints its arguments in place of podman.
    private struct Tree {
        let folder: TemporaryFolder
        let inventory: TemporaryFolder

        init(environment: [String: String] = [:], options: GenerationSettings.Options = GenerationSettings.Options()) throws {
            let result = try generation(GenerationTests.files, environment: environment, options: options)
            try #require(result.problems == [])
            inventory = result.files
            folder = try TemporaryFolder(["podman": "#!/bin/sh\nfor a; do line=\"$line[$a]\"; done\nprintf '%s\\n' \"$line\"\n"])
            try GeneratedTree(result.generation, in: result.files.folder).write(to: folder.path.appending("tree"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path.appending("podman").string)
        }

        /// Runs make. Returns its output, and whether it succeeded.
        func make(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> (
            out: [String], err: String, isSuccess: Bool
        ) {
            var variables: [Environment.Key: String?] = [
                "DPDK_CI_CONTAINER_BUILDER_PROGRAM": folder.path.appending("podman").string, "DPDK_CI_CONTAINERS_DATE_TAG_OVERRIDE": "D",
            ]
            for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
            let result = try await run(
                .name("make"), arguments: Arguments(["-s", "-C", folder.path.appending("tree").string] + arguments),
                environment: .inherit.updating(variables), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
            let lines = result.standardOutput.split(separator: "\n").map { String($0).replacing(folder.path.string, with: "") }
            return (lines.sorted(), result.standardError, result.terminationStatus.isSuccess)
        }
    }

    @Test("build has one build for each image and platform, and each value arrives as it is written")
    func build() async throws {
        let tree = try Tree()
        let run = try await tree.make(["-j4", "build"])
        #expect(run.isSuccess)
        let url = "https://example.org/$(touch make)`touch sh`#'\"\\"
        let color = "red $(touch arg) `touch sh` 'x' \"y\" #z \\"
        func base(_ arch: String) -> String {
            "[build][--no-cache][--platform][linux/\(arch)][--network][none][--file][images/base/linux-\(arch)/Containerfile]"
                + "[--tag][localhost/base:image-linux-\(arch)-D][--build-arg][URL=\(url)][images/base/context]"
        }
        func web(_ arch: String) -> String {
            "[build][--no-cache][--platform][linux/\(arch)][--network][host][--file][images/team+web/linux-\(arch)/Containerfile]"
                + "[--tag][localhost/team/web:image-linux-\(arch)-D][--build-arg][COLOR=\(color)]"
                + "[--build-arg][BASE=localhost/base:image-linux-\(arch)-D][--build-context][tools=][images/team+web/linux-\(arch)]"
        }
        #expect(run.out == [base("amd64"), base("arm64"), web("amd64"), web("arm64")].sorted())
        #expect(try tree.folder.text("tree/date-tag") == "D\n")
        let names = try FileManager.default.subpathsOfDirectory(atPath: tree.folder.path.string)
        #expect(!names.contains { $0.hasSuffix("make") || $0.hasSuffix("/sh") || $0.hasSuffix("arg") })
        #expect(names.contains("tree/images/base/context/sub/y"))
    }

    @Test("a value of the environment arrives as it is, and no default of the inventory reaches another program")
    func environment() async throws {
        let tree = try Tree()
        let run = try await tree.make(["build/base/linux-amd64"], ["T_URL": "$(touch x) '\"`touch y`#"])
        #expect(run.out.first?.contains("[URL=$(touch x) '\"`touch y`#]") == true)
        #expect(try !tree.folder.text("tree/Makefile").contains("export LD_PRELOAD"))
    }

    @Test("push sends the images, then makes the lists with their tags")
    func push() async throws {
        let tree = try Tree()
        let run = try await tree.make(
            ["push"],
            ["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "r:5000", "DPDK_CI_CONTAINERS_EXTRA_PUSH_ARGS": "--tls-verify=false --quiet *"])
        #expect(run.isSuccess)
        let base = run.out.filter { $0.contains("r:5000/base") }
        #expect(
            base == [
                "[manifest][add][--tls-verify=false][r:5000/base:D][docker://r:5000/base:image-linux-amd64-D]",
                "[manifest][add][--tls-verify=false][r:5000/base:D][docker://r:5000/base:image-linux-arm64-D]",
                "[manifest][create][r:5000/base:D]",
                "[manifest][push][--tls-verify=false][--quiet][*][r:5000/base:D][docker://r:5000/base:D]",
                "[manifest][push][--tls-verify=false][--quiet][*][r:5000/base:D][docker://r:5000/base:latest]",
                "[push][--tls-verify=false][--quiet][*][r:5000/base:image-linux-amd64-D]",
                "[push][--tls-verify=false][--quiet][*][r:5000/base:image-linux-arm64-D]",
                "[tag][r:5000/base:D][r:5000/base:latest]",
            ])
        let images = try await tree.make(["push_images"], ["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "r"]).out
        #expect(images.count == 4 && images.allSatisfy { $0.hasPrefix("[push]") })
        let lists = try await tree.make(["push_manifests"], ["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "r"]).out
        #expect(!lists.contains { $0.hasPrefix("[push]") || $0.hasPrefix("[build]") })
    }

    @Test("references prints the images and tags of a push, as the variables choose them")
    func references() async throws {
        let tree = try Tree()
        func references(_ environment: [String: String]) async throws -> TreeReferences {
            let run = try await tree.make(
                ["references"], environment.merging(["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "r:5000"]) { own, _ in own })
            #expect(run.isSuccess, "\(run.err)")
            return try TreeReferences(run.out.joined(separator: "\n"))
        }
        let all = try await references(["DPDK_CI_CONTAINERS_EXTRA_PUSH_ARGS": "--quiet *"])
        #expect(all.pushOptions == ["--quiet", "*"])
        #expect(all.program.hasSuffix("/podman"))
        #expect(!all.isLocal && !all.isBuilderMode)
        #expect(all.images.map(\.name) == ["base", "team/web"])
        #expect(all.images[1].platforms.map(\.platform.description) == ["linux/amd64", "linux/arm64"])
        #expect(all.images[1].platforms[1].reference.description == "r:5000/team/web:image-linux-arm64-D")
        #expect(all.images[0].tags.map(\.description) == ["r:5000/base:D", "r:5000/base:latest"])
        let few = try await references(["DPDK_CI_CONTAINERS_NO_LATEST_TAG": "Y", "DPDK_CI_CONTAINERS_BUILDER_MODE": "Y"])
        #expect(few.isBuilderMode)
        #expect(few.images.allSatisfy { $0.platforms.count == 1 && $0.tags.count == 1 })
        #expect(try await references(["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "localhost"]).isLocal)
        #expect(throws: InventoryProblem.self) { try TreeReferences("image base linux/amd64 r/b a:b\n") }
        #expect(throws: InventoryProblem.self) { try TreeReferences("tag base R/UPPER:x\n") }
    }

    @Test("with the registry localhost nothing is pushed, and the lists are local")
    func localhost() async throws {
        let tree = try Tree()
        let images = try await tree.make(["push_images"])
        #expect(images.out == ["push_images: the registry is localhost, so the images stay in local storage"])
        let lists = try await tree.make(["push_manifests/base"])
        #expect(lists.out.contains("[manifest][add][localhost/base:D][containers-storage:localhost/base:image-linux-amd64-D]"))
        #expect(!lists.out.contains { $0.hasPrefix("[manifest][push]") })
    }

    @Test("latest can be switched off")
    func noLatest() async throws {
        let tree = try Tree()
        let run = try await tree.make(
            ["push_manifests"], ["DPDK_CI_CONTAINERS_NO_LATEST_TAG": "Y", "DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "r"])
        #expect(run.isSuccess)
        #expect(!run.out.contains { $0.contains("latest") })
    }

    @Test("only the platform of this host is built if that is asked for", arguments: ["ONLY_HOST_ARCH", "BUILDER_MODE"])
    func hostOnly(variable: String) async throws {
        let run = try await Tree().make(["build"], ["DPDK_CI_CONTAINERS_\(variable)": "Y"])
        #expect(run.out.count == 2)
        #expect(Set(run.out.compactMap { $0.split(separator: "]").dropFirst(3).first }).count == 1)
    }

    @Test("push_manifests refuses in builder mode and with docker, with a sentence")
    func refusals() async throws {
        let tree = try Tree()
        let builder = try await tree.make(["push_manifests"], ["DPDK_CI_CONTAINERS_BUILDER_MODE": "Y"])
        #expect(!builder.isSuccess && builder.out.isEmpty)
        #expect(
            builder.err.hasPrefix(
                "push_manifests: this is builder mode (DPDK_CI_CONTAINERS_BUILDER_MODE=Y), which makes no manifest lists\n"))
        for target in ["push_manifests", "push"] {
            let docker = try await tree.make([target], ["DPDK_CI_CONTAINER_BUILDER_PROGRAM": "/usr/bin/docker"])
            #expect(!docker.isSuccess && docker.out.isEmpty)
            #expect(
                docker.err.hasPrefix(
                    "\(target): docker cannot make these manifest lists. Use podman (DPDK_CI_CONTAINER_BUILDER_PROGRAM), or push_images\n"))
        }
    }

    @Test("options of generate are the defaults of the Makefile")
    func options() async throws {
        var options = GenerationSettings.Options()
        options.registry = "quay.io/dpdk"
        options.onlyHostPlatform = true
        options.hasNoLatestTag = true
        let tree = try Tree(environment: ["DPDK_CI_CONTAINERS_CONTAINER_BUILDER_TAG": "my_builder"], options: options)
        let run = try await tree.make(["push_manifests"])
        #expect(
            run.out.filter { $0.hasPrefix("[manifest][create]") } == [
                "[manifest][create][quay.io/dpdk/base:D]", "[manifest][create][quay.io/dpdk/team/web:D]",
            ])
        #expect(!run.out.contains { $0.contains("latest") })
        #expect(try tree.folder.text("tree/Makefile").contains("export ODCS_GENERATOR_TAG := $(empty)my_builder$(empty)\n"))
        #expect(
            try tree.folder.text("tree/generator/Containerfile").contains("ENTRYPOINT [\"/usr/local/bin/odcs\", \"image\", \"generate\""))
    }

    @Test("an image whose condition or requirement is not met is left out, and so are its children")
    func absences() throws {
        let files = [
            "inventory.yaml": """
            parameters:
              coverity: {env: C, values: [Y, N], default: N}
              path: {env: P, values: folder}
            images:
              rhel: {containerfile: c, platforms: [linux/amd64], requires: {host: rhel}}
              child: {containerfile: d, platforms: [linux/amd64], parents: {B: rhel}}
              coverity: {containerfile: c, platforms: [linux/amd64], when: coverity, requires: [path]}

            """, "c": "FROM scratch\n", "d": "ARG B\nFROM $B\n",
        ]
        let plain = try generation(files)
        #expect(plain.generation.images.isEmpty)
        #expect(
            plain.generation.absences == [
                ImageAbsence(image: "rhel", isWanted: true, reason: "this host does not have the label host=rhel"),
                ImageAbsence(
                    image: "child", isWanted: true, reason: "its parent rhel is not built: this host does not have the label host=rhel"),
                ImageAbsence(image: "coverity", isWanted: false, reason: "it is built if C is Y"),
            ])
        let detected = try generation(files, environment: ["C": "Y"], release: "Red Hat Enterprise Linux release 9.5\n")
        #expect(detected.generation.images.map(\.image.name) == ["rhel", "child"])
        #expect(detected.generation.absences == [ImageAbsence(image: "coverity", isWanted: true, reason: "P is not set")])
        let forced = try generation(files, environment: ["DPDK_CI_CONTAINERS_ON_RHEL": "N"], release: "Red Hat Enterprise Linux")
        #expect(forced.generation.images.isEmpty)
    }

    @Test(
        "a wrong value of a variable is named with the variable",
        arguments: [
            (["DPDK_CI_CONTAINERS_BUILDER_MODE": "yes"], "DPDK_CI_CONTAINERS_BUILDER_MODE: must be Y or N, not \"yes\""),
            (
                ["DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME": "a b"],
                "DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME: \"a b\" is not a registry like localhost:5000 or quay.io/dpdk"
            ),
            (["DPDK_CI_CONTAINERS_DATE_TAG_OVERRIDE": "a:b"], "DPDK_CI_CONTAINERS_DATE_TAG_OVERRIDE: \"a:b\" cannot be a tag"),
            (
                ["DPDK_CI_CONTAINERS_EXTRA_SCRIPTS_PATH": "/no/such"],
                "DPDK_CI_CONTAINERS_EXTRA_SCRIPTS_PATH: there is no folder \"/no/such\""
            ),
            (["T_TOOLS": "/no/such"], "T_TOOLS: there is no folder \"/no/such\""),
            (["LD_PRELOAD": "x"], "LD_PRELOAD: must be Y or N, not \"x\""),
        ])
    func wrongValues(environment: [String: String], message: String) throws {
        let files = try TemporaryFolder(Self.files)
        let inventory = try files.folder.inventory()
        #expect {
            _ = try GenerationSettings(inventory, environment: environment, directory: "/")
        } throws: {
            "\($0)" == message
        }
    }

    @Test("a folder with other files is not touched, and an earlier tree is replaced")
    func replacing() throws {
        let result = try generation(Self.files)
        let tree = try GeneratedTree(result.generation, in: result.files.folder)
        let other = try TemporaryFolder(["mine": ""])
        #expect {
            try tree.write(to: other.path)
        } throws: {
            "\($0)" == "\(other.path): the folder has files that odcs image generate did not write. Name a new or empty folder"
        }
        #expect(try other.text("mine") == "")
        let earlier = try TemporaryFolder(["Makefile": "# Written by: odcs image generate\n", "images/gone/Containerfile": ""])
        try tree.write(to: earlier.path)
        let names = try FileManager.default.subpathsOfDirectory(atPath: earlier.path.string)
        #expect(!names.contains("images/gone"))
        #expect(names.contains("images/team+web/linux-arm64/Containerfile"))
    }

    @Test("a link that leads out of a context is refused")
    func contextLinks() throws {
        let result = try generation(Self.files)
        try FileManager.default.createSymbolicLink(
            atPath: result.files.path.appending("files/link").string, withDestinationPath: "../../../etc/passwd")
        let tree = try GeneratedTree(result.generation, in: result.files.folder)
        let target = try TemporaryFolder()
        #expect {
            try tree.write(to: target.path)
        } throws: {
            result.files.shown($0) == "files/link: the link leads out of the context"
        }
    }

    @Test("the example for DPDK CI has all twenty variables, and generates without a mistake")
    func example() throws {
        let folder = try InventoryFolder(FilePathOfSources.repository + "/inventory/dpdk-ci", in: "/")
        let inventory = try folder.inventory()
        let variables = Set(inventory.parameters.map(\.environment) + BuiltInVariable.allCases.map(\.rawValue))
        let seed =
            [
                "ON_RHEL", "FAIL_ON_UNBUILDABLE", "ONLY_HOST_ARCH", "BUILDER_MODE", "NINJA_WORKERS", "BUILD_ABI", "NO_LATEST_TAG",
                "COVERITY",
                "LIBABIGAIL_CLONE_URL", "DPDK_CLONE_URL", "DPDK_CI_CLONE_URL", "DPDK_STABLE_CLONE_URL", "CONTAINER_BUILDER_TAG",
                "EXTRA_PUSH_ARGS", "REGISTRY_HOSTNAME", "EXTRA_SCRIPTS_PATH", "COVERITY_PATH", "CONTEXT_DIRECTORY", "DATE_TAG_OVERRIDE",
            ].map { "DPDK_CI_CONTAINERS_\($0)" } + ["DPDK_CI_CONTAINER_BUILDER_PROGRAM"]
        #expect(seed.count == 20 && variables.isSuperset(of: seed))
        for environment in [[:], ["DPDK_CI_CONTAINERS_BUILD_ABI": "Y", "DPDK_CI_CONTAINERS_COVERITY": "Y"]] as [[String: String]] {
            let settings = try GenerationSettings(inventory, environment: environment, directory: "/")
            #expect(ImageGeneration(inventory, in: folder, settings: settings, keepsAll: true).problems == [])
        }
    }
}
