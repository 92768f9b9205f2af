import Testing

@testable import odcs

@Suite("odcs image check, parameters, generate")
struct ImageTests {
    private static let files = [
        "inv/inventory.yaml": """
        parameters:
          flavor: {env: FLAVOR, values: [sweet, sour], default: sweet, description: A taste.}
        images:
          base: {template: base, platforms: [linux/amd64, linux/arm64], packages: [ed]}
          rhel: {containerfile: rhel, platforms: [linux/amd64], requires: {host: rhel}}

        """,
        "inv/templates/base.mustache": "FROM fedora:42\nLABEL flavor={{flavor}}\nRUN dnf install{{#packages}} {{.}}{{/packages}}\n",
        "inv/rhel": "FROM scratch\n",
    ]
    /// The host of the tests may be RHEL.
    private static let environment = ["DPDK_CI_CONTAINERS_ON_RHEL": "N"]

    private static func odcs(_ arguments: String, environment: [String: String] = [:], files: [String: String] = [:]) async throws
        -> CommandRun
    {
        try await CommandRun.odcs(
            ["image"] + arguments.split(separator: " ").map(String.init), environment: Self.environment.merging(environment) { $1 },
            files: Self.files.merging(files) { $1 })
    }

    @Test("check lists the images, and those that this host cannot build")
    func check() async throws {
        let run = try await Self.odcs("check inv")
        #expect(run.status == .success)
        #expect(
            run.out == """
                IMAGE  PLATFORMS                PACKAGES  FROM                         NOTE
                base   linux/amd64 linux/arm64  1         docker.io/library/fedora:42
                rhel   linux/amd64              0                                      not built here: this host does not have the label host=rhel

                """)
        #expect(try await Self.odcs("check inv/inventory.yaml --json").out.contains("\"image\": \"base\""))
        #expect(try await Self.odcs("check --schema").out.hasPrefix("{\n  \"$schema\": "))
        #expect(try await Self.odcs("check").status == .usage)
    }

    @Test("check reports every mistake with its place")
    func mistakes() async throws {
        let run = try await Self.odcs(
            "check inv", files: ["inv/templates/base.mustache": "FROM {{flavour}}\n", "inv/rhel": "FROM scratch\nRUN --mount=type=ssh x\n"])
        #expect(run.status == .error)
        #expect(
            run.err == """
                odcs: inv/templates/base.mustache:1: there is no value flavour; did you mean flavor?
                odcs: inv/rhel:2: images.rhel: RUN --mount=type=ssh is not allowed: no key of the node is for a build

                """)
        let unknown = try await Self.odcs(
            "check inv", files: ["inv/inventory.yaml": "images:\n  a:\n    templates: b\n    platforms: [linux/amd64]\n"])
        #expect(unknown.err == "odcs: inv/inventory.yaml:3: images.a.template: an image needs either template or containerfile\n")
        #expect(try await Self.odcs("check none").err == "odcs: none: there is no such folder\n")
    }

    @Test("parameters lists declared and built-in variables with their values")
    func parameters() async throws {
        let run = try await Self.odcs("parameters --inventory inv", environment: ["FLAVOR": "sour"])
        let lines = run.out.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(run.status == .success)
        #expect(lines.count == 14)
        #expect(lines[1] == "FLAVOR sweet or sour sweet sour A taste.")
        #expect(lines.contains { $0.hasPrefix("DPDK_CI_CONTAINER_BUILDER_PROGRAM program podman podman The program") })
        let json = try await Self.odcs("parameters --inventory inv --json")
        #expect(json.out.contains("\"variable\": \"FLAVOR\""))
        let wrong = try await Self.odcs("parameters --inventory inv", environment: ["FLAVOR": "salty"])
        #expect(wrong.err == "odcs: FLAVOR: must be sweet or sour, not \"salty\"\n")
        #expect(wrong.status == .error)
    }

    @Test("generate writes the tree, lists the images that it left out, and names the next command")
    func generate() async throws {
        let run = try await Self.odcs("generate --inventory inv --into tree")
        #expect(run.status == .success)
        #expect(
            run.out == """
                2 Containerfiles are in HOME/tree.
                Left out: rhel, this host does not have the label host=rhel.
                Next: make -C HOME/tree -j2 build

                """)
        let elsewhere = try await Self.odcs(
            "generate --inventory inv --json", environment: ["DPDK_CI_CONTAINERS_CONTEXT_DIRECTORY": "other"])
        #expect(elsewhere.out.contains("\"containerfile\": \"images/base/linux-arm64/Containerfile\""))
        #expect(elsewhere.out.contains("\"folder\": \"HOME/other\""))
    }

    @Test("generate can fail for an image that cannot be built, and then writes nothing")
    func unbuildable() async throws {
        let run = try await Self.odcs("generate --inventory inv --into tree --fail-on-unbuildable")
        #expect(run.status == .error)
        #expect(run.err == "odcs: rhel cannot be built: this host does not have the label host=rhel\n")
        let occupied = try await Self.odcs("generate --inventory inv --into inv")
        #expect(occupied.err == "odcs: HOME/inv: the folder has files that odcs image generate did not write. Name a new or empty folder\n")
    }

    @Test("each command has an example in its help", arguments: ["image", "image check", "image parameters", "image generate"])
    func help(command: String) async throws {
        let run = try await CommandRun.odcs(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(run.status == .success)
        #expect(run.out.contains("EXAMPLE"))
    }
}
