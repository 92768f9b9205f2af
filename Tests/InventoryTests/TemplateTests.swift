import Inventory
import SystemPackage
import Testing

@Suite("Templates of Containerfiles")
struct TemplateTests {
    private static let inventory = """
        parameters:
          abi: {env: ABI, values: [Y, N], default: N}
          url: {env: URL, default: "https://example.org/x"}
          jobs: {env: JOBS, values: number}
        images:
          app:
            template: app
            platforms: [linux/amd64]
            packages: [gcc, make]
            variables: {base: "fedora:42", odd: "a 'b' $c"}

        """

    private static func text(_ templates: [String: String], environment: [String: String] = [:]) throws -> String {
        let result = try generation(files(templates), environment: environment)
        try #require(result.problems == [])
        return try #require(result.generation.images.first).text
    }

    private static func problems(_ templates: [String: String]) throws -> [String] { try generation(files(templates)).problems }

    private static func files(_ templates: [String: String]) -> [String: String] {
        var files = ["inventory.yaml": inventory]
        for (name, text) in templates { files["templates/\(name).mustache"] = text }
        return files
    }

    @Test("partials and parents come from the folder templates, and blocks replace parts of a parent")
    func composition() throws {
        let text = try Self.text([
            "app": "{{<image}}\n{{$install}}\nRUN dnf install{{#packages}} {{.}}{{/packages}}\n{{/install}}\n{{/image}}\n",
            "image": "{{! a comment }}\nFROM {{base}}\n{{$install}}{{/install}}\n{{>parts/end}}\n",
            "parts/end":
                "{{#abi}}\nRUN abi\n{{/abi}}\n{{^abi}}\nRUN no-abi\n{{/abi}}\n{{#jobs}}\nRUN ninja -j {{jobs}}\n{{/jobs}}\nWORKDIR /{{architecture}}\n",
        ])
        #expect(text == "FROM fedora:42\nRUN dnf install gcc make\n\nRUN no-abi\nWORKDIR /amd64\n")
    }

    @Test("a value becomes exactly one word of the shell, and nothing is escaped for HTML")
    func words() throws {
        let text = try Self.text(
            ["app": "FROM {{base}}\nRUN echo {{odd}} {{url}} && {{>part}}", "part": "x {{odd}} {{{url}}}\n"], environment: ["URL": "a&b;c"])
        #expect(text == "FROM fedora:42\nRUN echo 'a '\\''b'\\'' $c' 'a&b;c' && x 'a '\\''b'\\'' $c' a&b;c\n")
    }

    @Test(
        "a mistake in a template is named with its file and line",
        arguments: [
            ("FROM a\nRUN {{pakages}}", "templates/app.mustache:2: there is no value pakages; did you mean packages?"),
            ("FROM a\n{{#abi}}\n", "templates/app.mustache:2: the section abi has no end"),
            ("{{#abi}}{{/url}}", "templates/app.mustache:1: {{/url}} stands where abi of line 1 must end"),
            ("FROM a\n{{/abi}}", "templates/app.mustache:2: {{/abi}} ends nothing"),
            ("FROM a\n{{", "templates/app.mustache:2: there is no correct tag after {{: \"\""),
            ("{{=<% %>=}}", "templates/app.mustache:1: there is no correct tag after {{: \"=<% %>=}}\""),
            ("{{>*url}}", "templates/app.mustache:1: there is no correct tag after {{: \">*url}}\""),
            ("{{%CONTENT_TYPE:HTML}}", "templates/app.mustache:1: there is no correct tag after {{: \"%CONTENT_TYPE:HTML}}\""),
            (
                "FROM a\n{{>none}}",
                "templates/app.mustache:2: the template none cannot be used: there is no such file (templates/none.mustache)"
            ),
            ("{{>../inventory}}", "templates/app.mustache:1: there is no correct tag after {{: \">../inventory}}\""),
            ("{{>/etc/passwd}}", "templates/app.mustache:1: the template /etc/passwd leads out of the inventory, or is used too deep"),
            ("{{>app}}", "templates/app.mustache:1: templates use each other in a circle: app → app"),
            ("{{<app}}{{/app}}", "templates/app.mustache:1: templates use each other in a circle: app → app"),
        ])
    func mistakes(text: String, message: String) throws {
        #expect(try Self.problems(["app": text]) == [message])
    }

    @Test("a template that would fill the memory is refused before it is rendered")
    func growth() throws {
        let doubling = Dictionary(uniqueKeysWithValues: (0..<15).map { ("t\($0)", String(repeating: "{{>t\($0 + 1)}}", count: 20)) })
        let problem = try Self.problems(doubling.merging(["app": "{{>t0}}", "t15": "x"]) { a, _ in a }).first
        #expect(problem?.hasSuffix("the result could be larger than 8388608 bytes") == true)
        let lists = String(repeating: "{{#packages}}", count: 25) + "x" + String(repeating: "{{/packages}}", count: 25)
        #expect(try Self.problems(["app": lists]) == ["templates/app.mustache:1: the result could be larger than 8388608 bytes"])
        let deep = String(repeating: "{{#abi}}", count: 50000) + String(repeating: "{{/abi}}", count: 50000)
        #expect(try Self.problems(["app": deep]) == ["templates/app.mustache:1: more than 30 sections are in each other"])
    }

    @Test("what a template renders must be a Containerfile without refused instructions")
    func containerfile() throws {
        #expect(
            try Self.problems(["app": "FROM {{base}}\nRUNN x"]) == [
                "templates/app.mustache: images.app: the Containerfile for linux/amd64, line 2: there is no instruction \"RUNN\"; did you mean RUN?"
            ])
        #expect(
            try Self.problems(["app": "FROM {{base}}\nRUN --network=host x\nADD {{url}} /x"]) == [
                "templates/app.mustache: images.app: the Containerfile for linux/amd64, line 2: RUN --network=host is not allowed: "
                    + "the network is a property of the image, not of a command",
                "templates/app.mustache: images.app: the Containerfile for linux/amd64, line 3: ADD https://example.org/x is not allowed: "
                    + "the image has no network. Put the file into the context",
            ])
    }

    @Test("caches are mounted at each RUN, and extra scripts are copied last")
    func additions() throws {
        let scripts = try TemporaryFolder(["hello": ""])
        var options = GenerationSettings.Options()
        options.extraScripts = scripts.path.string
        let result = try generation(
            [
                "inventory.yaml": "images:\n  team/a: {containerfile: c, platforms: [linux/arm64], caches: {ccache: /var/cache/ccache}}\n",
                "c": "FROM scratch\nRUN make",
            ], options: options)
        #expect(result.problems == [])
        let image = try #require(result.generation.images.first)
        #expect(
            image.text == """
                FROM scratch
                RUN --mount=type=cache,id=team+a-linux-arm64-ccache,target=/var/cache/ccache make
                COPY --from=extra_scripts . /scripts/

                """)
        #expect(image.contexts == ["extra_scripts"])
        #expect(image.namedImages.isEmpty)
    }
}
