import ComposeStore
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

/// The commands `odcs node` and `odcs farm` against a running service, with two real podman services as
/// nodes.
@Suite(.serialized, .timeLimit(.minutes(15))) struct FarmCommandTests {
    /// Runs a service, and two nodes `n1` and `n2` that are in the farm `f`.
    ///
    /// - Parameter settings: More settings of images. Example: `slots: 0`.
    private func with(
        settings: String = "",
        _ body: @escaping @Sendable (ImageService, ServerProcess, _ n1: TestPodman, _ n2: TestPodman) async throws -> Void
    ) async throws {
        try await ImageService.with(images: settings) { images in
            try await TestPodman.with(insecure: [images.registry.host]) { n1 in
                try await TestPodman.with(insecure: [images.registry.host]) { n2 in
                    try await n1.withService { first in
                        try await n2.withService { second in
                            try await images.serve { server in
                                let added = try await server.succeed("node", "add", "n1", "--connection", "unix://\(first)")
                                #expect(added.output.hasPrefix("n1: ready, \(Platform.host), "), "\(added.output)")
                                try await server.succeed("node", "add", "n2", "--connection", "unix://\(second)", "--slots", "2")
                                try await server.succeed("farm", "create", "f", "n1", "n2", "--default")
                                try await body(images, server, n1, n2)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("a farm is shown, one dead node is one line of its status, and its platforms are those of the nodes")
    func status() async throws {
        try await with { images, server, _, n2 in
            let status = try await server.odcs(["farm", "status", "f"])
            #expect(status.isSuccess)
            #expect(status.output.split(separator: "\n").allSatisfy { $0.contains(": ready, ") }, "\(status.output)")
            let platforms = try await server.succeed("farm", "platforms", "f")
            #expect(platforms.output.hasPrefix("native: \(Platform.host)\n"), "\(platforms.output)")
            let schedule = try await server.succeed("farm", "schedule", "f")
            #expect(schedule.output.contains("It runs \(Platform.host) itself."), "\(schedule.output)")
            try n2.signalService(SIGKILL)
            let probe = try await server.odcs(["node", "probe", "n2"])
            #expect(probe.status == 1)
            let dead = try await server.odcs(["farm", "status", "f"])
            #expect(dead.status == 1)
            let lines = dead.output.split(separator: "\n")
            #expect(lines.first?.hasPrefix("n1: ready, ") == true)
            #expect(lines.last == "n2: connection refused", "\(dead.output)")
            let unknown = try await server.odcs(["node", "status", "n3"])
            #expect(unknown.complaints.contains("There is no node \"n3\". There is n1, n2, local."), "\(unknown.complaints)")
        }
    }

    @Test("an image is built on the nodes that are named before or after build, pushed by them, and saved as a folder")
    func builds() async throws {
        try await with { images, server, n1, _ in
            let folder = try images.folder("app", "FROM scratch\nCOPY hello /hello\n")
            try "hello\n".write(toFile: folder.appending("hello").string, atomically: true, encoding: .utf8)
            let name = "\(images.registry.host)/team/app:1"
            let saved = images.service.directory.appending("saved")
            let file = images.service.directory.appending("digest")
            let built = try await server.succeed(
                "farm", "build", "-t", name, "--farm", "f", "--iidfile", file.string, "--to", "oci:\(saved)", "--label", "a=b", "--rm",
                folder.string)
            #expect(built.output.contains("\nTagged: \(name)\nBuilt: \(Platform.host) on n"), "\(built.output)")
            let digest = try String(contentsOfFile: file.string, encoding: .utf8)
            #expect(try await images.digest("team/app", tag: "1")?.description == digest)
            let inspected = try await Program.run(["skopeo", "inspect", "--raw", "oci:\(saved):1"])
            #expect(inspected.output.contains("manifests"), "\(inspected.complaints)")

            let group = try await server.odcs(["farm", "--node", "n1,n2", "build", "-q", "-t", name, "--to", "none", folder.string])
            #expect(try await images.digest("team/app", tag: "1").map { "\($0)\n" } == group.output, "\(group.complaints)")
            let local = try await server.odcs(["farm", "build", "--node", "local", "-t", name, "--to", "none", folder.string])
            #expect(local.output.contains("on local"), "\(local.output) \(local.complaints)")
            let nobody = try await server.odcs(["farm", "build", "-t", name, "--platforms", "linux/s390x", "--farm", "g", folder.string])
            #expect(nobody.complaints.contains("There is no farm \"g\". There is f."), "\(nobody.complaints)")
            let pruned = try await server.succeed("farm", "prune", "f", "--all")
            #expect(pruned.output.contains("n1: ") && pruned.output.contains(" removed, 0 left"), "\(pruned.output)")
            #expect(try await n1.run("podman", ["images", "-q"]).out.isEmpty)
        }
    }

    @Test("a worker without slots of its own has nodes build, and two builds of one repository at once keep their contexts")
    func together() async throws {
        try await with(settings: "slots: 0") { images, server, _, _ in
            let name = "\(images.registry.host)/team/app"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...4 {
                    let folder = try images.folder("app\(number)", "FROM scratch\nCOPY hello /hello\nLABEL number=\(number)\n")
                    try "hello\n".write(toFile: folder.appending("hello").string, atomically: true, encoding: .utf8)
                    group.addTask {
                        try await server.succeed("farm", "build", "-t", "\(name):\(number)", "--to", "none", folder.string)
                        let image = "docker://\(name):\(number)"
                        let labels = try await Program.succeed(
                            "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Labels.number}}", image)
                        #expect(labels.output == "\(number)\n")
                    }
                }
                try await group.waitForAll()
            }
            let local = try await server.odcs(["node", "status", "local"])
            #expect(local.output.contains("No worker is alive that builds images itself."), "\(local.output) \(local.complaints)")
        }
    }

    @Test("the two commands of buildfarm work: a build on nodes, and podman's push of the list with all its images")
    func seed() async throws {
        try await with { images, server, _, _ in
            try await TestPodman.with(insecure: [images.registry.host]) { host in
                let folder = try images.folder(
                    "app", "FROM scratch AS first\nCOPY hello /hello\nFROM first\nCOPY hello /second\n")
                try "hello\n".write(toFile: folder.appending("hello").string, atomically: true, encoding: .utf8)
                let name = "\(images.registry.host)/my/repository:tag"
                var environment = host.environment.mapValues(Optional.some)
                for name in ["ODCS_SERVER", "ODCS_TOKEN", "ODCS_PROFILE", "XDG_CONFIG_HOME"] { environment[name] = .some(nil) }
                let built = try await Program.run(
                    [Program.own("odcs"), "farm", "--node", "n1,n2", "build", "-t", name, "--target", "first", folder.string]
                        + ["--server", server.url], environment: environment)
                #expect(built.isSuccess, "\(built.complaints)")
                let copy = "\(images.registry.host)/my/copy:tag"
                let pushed = try await host.run("podman", ["manifest", "push", "--all", name, "docker://\(copy)"])
                #expect(pushed.isSuccess, "\(pushed.err)")
                var manifests: [[String]] = []
                for image in [name, copy] {
                    let raw = try await Program.succeed("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(image)")
                    manifests.append(try JSONDecoder().decode(List.self, from: Data(raw.output.utf8)).manifests.map(\.digest))
                }
                #expect(manifests[0].count == 1)
                #expect(manifests[0] == manifests[1])
                let layers = try await Program.succeed(
                    "skopeo", "inspect", "--tls-verify=false", "--format", "{{len .Layers}}", "docker://\(name)")
                #expect(layers.output == "1\n", "The stage first has one layer.")
            }
        }
    }

    @Test("a build that is canceled ends its instruction on the node, and leaves no container there")
    func canceled() async throws {
        try await with(settings: "slots: 0") { images, server, n1, n2 in
            let base = try await images.base(server)
            let mark = ProcessMark()
            let folder = try images.folder("app", "FROM \(base)\n\(mark.instruction)\n")
            try await server.succeed("image", "add", "team/app", folder.string)
            let build: BuildDocument = try await server.document("image", "build", "team/app", "--no-wait")
            #expect(try await FollowedFile(images.logFile(of: build.id)).awaitText("\nrunning \(mark.duration)\n"))
            // The shell has printed the line, and is about to start the program.
            while try mark.isGone { await Task.yield() }
            try await server.succeed("image", "cancel", "\(build.id)")
            #expect(try await mark.awaitEnd())
            // The nodes build on.
            try await server.succeed("image", "build", "team/base")
            for node in [n1, n2] {
                let containers = try await node.run("podman", ["ps", "--all", "--quiet", "--filter", "label=vnd.odcs.step"])
                #expect(containers.isSuccess && containers.out.isEmpty, "\(containers)")
            }
        }
    }

    @Test("one node builds two platforms, one of them with an emulator, and the list with its images is saved as a folder")
    func platforms() async throws {
        try await EmulatorRegistration.ifAllowed {
            try await with(settings: "slots: 0") { images, server, _, _ in
                let folder = try images.folder("app", "FROM scratch\nCOPY hello /hello\n")
                try "hello\n".write(toFile: folder.appending("hello").string, atomically: true, encoding: .utf8)
                let name = "\(images.registry.host)/team/app:1"
                let saved = images.service.directory.appending("saved")
                let built = try await server.succeed(
                    "farm", "build", "-t", name, "--node", "n1", "--platforms", "linux/amd64,linux/arm64", "--to", "dir:\(saved)",
                    folder.string)
                for platform in ["linux/amd64", "linux/arm64"] {
                    #expect(built.output.contains("\(platform) on n1"), "\(built.output)")
                    let architecture = String(platform.split(separator: "/")[1])
                    for source in ["docker://\(name)", "dir:\(saved)"] {
                        let inspected = try await Program.run([
                            "skopeo", "inspect", "--override-arch", architecture, "--tls-verify=false", "--format", "{{.Architecture}}",
                            source,
                        ])
                        #expect(inspected.output == "\(architecture)\n", "\(source): \(inspected.complaints)")
                    }
                }
                let raw = try await Program.succeed("skopeo", "inspect", "--raw", "dir:\(saved)")
                #expect(try JSONDecoder().decode(List.self, from: Data(raw.output.utf8)).manifests.count == 2)
            }
        }
    }

    @Test("the images of a build come into the storage of podman on the host")
    func storage() async throws {
        try await with { images, server, _, _ in
            try await TestPodman.with(insecure: [images.registry.host]) { host in
                let folder = try images.folder("app", "FROM scratch\nCOPY hello /hello\n")
                try "hello\n".write(toFile: folder.appending("hello").string, atomically: true, encoding: .utf8)
                let name = "\(images.registry.host)/team/app:1"
                var environment = host.environment.mapValues(Optional.some)
                for name in ["ODCS_SERVER", "ODCS_TOKEN", "ODCS_PROFILE", "XDG_CONFIG_HOME"] { environment[name] = .some(nil) }
                let built = try await Program.run(
                    [Program.own("odcs"), "farm", "build", "-q", "-t", name, "--to", "containers-storage:", folder.string]
                        + ["--server", server.url], environment: environment)
                #expect(built.isSuccess, "\(built.complaints)")
                let list = try await host.run("podman", ["manifest", "inspect", name])
                let digests = try JSONDecoder().decode(List.self, from: Data(list.out.utf8)).manifests.map(\.digest)
                #expect(digests.count == 1)
                for digest in digests {
                    let image = try await host.run("podman", ["image", "exists", "\(images.registry.host)/team/app@\(digest)"])
                    #expect(image.isSuccess, "\(image)")
                }
            }
        }
    }

    private struct List: Decodable {
        struct Manifest: Decodable { let digest: String }
        let manifests: [Manifest]
    }

    @Test("the connection file of podman gives its nodes and farms")
    func importing() async throws {
        try await ImageService.with { images in
            try await images.serve { server in
                let file = images.service.directory.appending("podman-connections.json")
                try #"""
                {"Connection": {"Default": "arm", "Connections": {
                    "arm": {"URI": "ssh://me@127.0.0.1:1/run/podman.sock", "Identity": "/home/me/.ssh/builder"},
                    "here": {"URI": "unix:///run/podman/podman.sock"}}},
                 "Farm": {"Default": "all", "List": {"all": ["arm", "here"]}}}
                """#.write(toFile: file.string, atomically: true, encoding: .utf8)
                let imported = try await server.succeed("farm", "import", file.string)
                #expect(
                    imported.output == """
                        arm: added. Workers need the key builder.
                        here: added
                        farm all: arm, here

                        """, "\(imported.output)")
                let list = try await server.succeed("farm", "list")
                #expect(list.output.contains("all   yes      arm here"), "\(list.output)")
                let again = try await server.succeed("farm", "import", file.string)
                #expect(again.output.contains("arm: it is there already"))
            }
        }
    }
}
