import Components
import ImageModel
import Testing

@Suite("Instructions of components") struct InstructionsTests {
    private static func read(_ text: String) throws(ComponentProblem) -> ComponentInstructions {
        try ComponentInstructions(text, file: "config.yaml")
    }

    @Test("build, artifacts, dependencies and environments are read, and other keys are passed over")
    func all() throws {
        let instructions = try Self.read(
            """
            repo: asyn
            description: a driver
            build: make -C src
            artifacts: [bin, lib/, ./db/asyn.db]
            dependencies:
              - epics-base: R7.0.8
              - sequencer: 2.2.9
            environments: [rocky9, rhel7]
            """)
        #expect(instructions.command == "make -C src")
        #expect(instructions.artifacts == ["bin", "lib", "db/asyn.db"])
        #expect(instructions.dependencies.map { "\($0.component) \($0.tag) \($0.line)" } == ["epics-base R7.0.8 6", "sequencer 2.2.9 7"])
        #expect(instructions.environments == ["rocky9", "rhel7"])
    }

    @Test("build is also a list, or a mapping with a command, and dependencies are also a mapping")
    func forms() throws {
        #expect(try Self.read("build: [./configure, make]").command == "./configure\nmake")
        #expect(try Self.read("build: {command: make}").command == "make")
        #expect(try Self.read("build: make\ndependencies: {a: 1.0}").dependencies.map(\.tag) == ["1.0"])
        let onlyFiles = try Self.read("artifacts: data")
        #expect(onlyFiles.command == nil && onlyFiles.artifacts == ["data"] && onlyFiles.environments == nil)
        #expect(try Self.read("build: make\nartifacts: [.]").artifacts == [""])
    }

    /// A short text that stands for millions of nodes, in the key of a mapping.
    private static let bomb: String = {
        var text = "a0: &a0 [x, x, x]\n"
        for level in 1...20 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        return text + "? *a20\n: x\n"
    }()

    @Test(
        "a mistake is named with its line",
        arguments: [
            ("- a", "config.yaml, line 1: this is not a mapping of keys to values."),
            (Self.bomb, "config.yaml: this has more than 16 aliases (*name)."),
            ("build: [make", "config.yaml, line 1: this is not YAML: did not find expected ',' or ']'."),
            ("repo: x", "config.yaml: there is neither build, the commands to run, nor artifacts, the files of the component."),
            ("build:\n  tool: make", "config.yaml, line 2: build has no command."),
            ("build: [[make]]", "config.yaml, line 1: build must be a command, or a list of commands."),
            (
                "build: make\nartifacts: [/etc]",
                "config.yaml, line 2: the artifact \"/etc\" must be a path below the top of the repository, of letters, digits and . _ + @ ~ / -."
            ),
            ("build: make\nartifacts: [a/../../b]", "config.yaml, line 2: the artifact \"a/../../b\" leads out of the repository."),
            (
                "build: make\ndependencies: [asyn]",
                "config.yaml, line 2: dependencies must be a list of names and tags, such as \"- asyn: R4.39\"."
            ),
            ("build: make\ndependencies:\n- a: 1\n- a: 2", "config.yaml, line 4: the dependency \"a\" is there twice."),
        ])
    func mistakes(text: String, message: String) {
        let problem = #expect(throws: ComponentProblem.self) { try Self.read(text) }
        #expect(problem?.description == message)
    }

    @Test("the Containerfile has the environment, the repository, the dependencies and the command, and its last stage is scratch")
    func containerfile() throws {
        let instructions = try Self.read("build: \"make \\\"$A\\\"\\nmake install\"\nartifacts: [bin, lib/x]")
        let text = ComponentContainerfile.text(
            instructions, component: "asyn", environment: try ImageReference("r.example/env/rocky9:1"),
            dependencies: [("base", try ImageReference("r.example/base-component:rocky9-R7"))])
        #expect(
            text == """
                FROM r.example/env/rocky9:1 AS build
                WORKDIR /build/asyn
                COPY source/ /build/asyn/
                COPY --from=r.example/base-component:rocky9-R7 / /dependencies/base/
                RUN ["/bin/sh", "-e", "-c", "make \\"$A\\"\\nmake install"]
                FROM scratch
                COPY --from=build /build/asyn/bin /bin
                COPY --from=build /build/asyn/lib/x /lib/x

                """)
        let everything = ComponentContainerfile.text(
            try Self.read("build: make"), component: "a", environment: try ImageReference("r.example/e:1"), dependencies: [])
        #expect(everything.hasSuffix("FROM scratch\nCOPY --from=build /build/a/ /\n"))
    }

    @Test("a command cannot add a line to the Containerfile")
    func lines() throws {
        let command = "a\nRUN b\r\u{2028}\u{85}\u{0B}c"
        var instructions = try Self.read("build: make")
        instructions.command = command
        let text = ComponentContainerfile.text(
            instructions, component: "a", environment: try ImageReference("r.example/e:1"), dependencies: [])
        #expect(text.contains(#"RUN ["/bin/sh", "-e", "-c", "a\nRUN b\u000d\u2028\u0085\u000bc"]"#), "\(text)")
        #expect(text.split(whereSeparator: \.isNewline).count == 6)
    }
}
