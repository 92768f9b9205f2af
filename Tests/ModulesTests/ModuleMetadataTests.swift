import Modules
import Repodata
import Testing

@Suite("Module metadata")
struct ModuleMetadataTests {
    @Test("a stream's document tells its id, its requirements, its packages and what it filters out")
    func stream() throws {
        let metadata = try ModuleMetadata(
            yaml: Self.stream(
                "nodejs", "20", 20_240_101_000_000, "c1", requires: ["platform": ["f26", "f27"], "perl": ["-5.24"], "python": []],
                artifacts: ["node-1:20.1-1.x86_64", "node-1:20.1-1.src", "npm-0:9-1.noarch"], filters: ["npm"]))
        let stream = try #require(metadata.streams.first)
        #expect(metadata.streams.count == 1)
        #expect(stream.id.description == "nodejs:20:20240101000000:c1")
        #expect(stream.arch == "x86_64")
        #expect(stream.requirements.count == 1)
        let required = Dictionary(uniqueKeysWithValues: stream.requirements.joined().map { ($0.module, $0) })
        #expect(required["platform"]?.accepts("f27") == true && required["platform"]?.accepts("f28") == false)
        #expect(required["perl"]?.accepts("5.24") == false && required["perl"]?.accepts("5.26") == true)
        #expect(required["python"]?.accepts("3") == true)
        #expect(stream.artifacts.count == 3)
        #expect(stream.packages.map(\.name).sorted() == ["node", "node"])
    }

    @Test("packages without an epoch, as the first modules name them, are of epoch 0")
    func epochs() throws {
        let metadata = try ModuleMetadata(
            yaml: Self.stream("old", "1.0", 1, "c", artifacts: ["b-1.0-1.x86_64", "a-b-c-2:1.0-1.x86_64", "with-dash-1.0-1.fc26.noarch"]))
        #expect(
            Set(metadata.streams.flatMap(\.artifacts))
                == [
                    NEVRA(name: "b", version: "1.0", release: "1", arch: "x86_64"),
                    NEVRA(name: "a-b-c", epoch: 2, version: "1.0", release: "1", arch: "x86_64"),
                    NEVRA(name: "with-dash", version: "1.0", release: "1.fc26", arch: "noarch"),
                ])
        #expect(metadata.streams.map(\.id.stream) == ["1.0"])
    }

    /// Names that would lead elsewhere, have control characters, or never end.
    private static let hostile = [
        "../x", "/etc/passwd", "x/../../y", "..", "x\\u001B[2J", "x\\u202E", String(repeating: "e\u{301}\u{323}", count: 2000),
    ]

    @Test("a hostile name in any place of a document costs that document alone, or is taken for what it is", arguments: hostile)
    func hostileNames(name: String) throws {
        let quoted = "\"\(name)\""
        let plain = Self.stream("plain", "1", 1, "c", artifacts: ["a-0:1-1.noarch"])
        let hostile = Self.stream(
            "victim", "s0", 7, "c0", requires: ["needed": ["1"]], artifacts: ["art-0:1-1.noarch"], filters: ["filtered"])
        for word in ["victim", "s0", "c0", "needed", "art-0:1-1.noarch", "filtered"] {
            let changed = hostile.replacing("\"\(word)\"", with: quoted).replacing(word, with: quoted)
            let metadata = ModuleMetadata(soundDocumentsOf: changed + plain)
            #expect(metadata.streams.contains { $0.id.name == "plain" }, "\(word)")
            #expect(metadata.streams.count + metadata.unusable.count == 2, "\(word)")
            if name.utf8.count > 1024 { #expect(metadata.unusable.count == 1, "\(word)") }
        }
    }

    @Test("what is written has the streams that are inside, with their packages that are inside, and what belongs to them")
    func cut() throws {
        let metadata = try ModuleMetadata(
            yaml: Self.stream("m", "1", 1, "c", artifacts: ["a-0:1-1.x86_64", "b-0:1-1.x86_64"]) + Self.stream("m", "2", 1, "c")
                + Self.stream("other", "1", 1, "c") + Self.defaults("m", "1") + Self.defaults("other", "1") + Self.obsoletes("m", "1")
                + Self.obsoletes("m", "2") + Self.translation("m", "1"))
        let inside = try #require(metadata.streams.first)
        let yaml = try metadata.yaml(of: [inside.id], packages: [NEVRA(name: "b", version: "1", release: "1", arch: "x86_64")])
        let written = try ModuleMetadata(yaml: yaml)
        #expect(written.streams.map(\.id.nameAndStream) == ["m:1"])
        #expect(written.streams.flatMap(\.artifacts).map(\.name) == ["b"])
        #expect(written.defaults.map(\.module) == ["m"])
        #expect(written.defaults.map(\.stream) == ["1"])
        #expect(Set(written.remarks.map(\.kind)) == [.obsoletes, .translation])
        #expect(Set(written.remarks.map(\.stream)) == ["1"])
        #expect(try metadata.yaml(of: [], packages: []).isEmpty)
    }

    @Test("of two that tell of one stream the packages of both are taken; defaults that disagree name no stream")
    func merged() throws {
        let first = try ModuleMetadata(yaml: Self.stream("m", "1", 1, "c", artifacts: ["a-0:1-1.x86_64"]) + Self.defaults("m", "1"))
        let second = try ModuleMetadata(
            yaml: Self.stream("m", "1", 1, "c", artifacts: ["b-0:1-1.x86_64"]) + Self.stream("m", "2", 1, "c") + Self.defaults("m", "2"))
        let merged = try ModuleMetadata(merging: [first, second])
        #expect(merged.streams.map(\.id.stream) == ["1", "2"])
        #expect(merged.streams.first?.artifacts.map(\.name).sorted() == ["a", "b"])
        #expect(merged.defaults.map(\.stream) == [nil])
        #expect(try ModuleMetadata(merging: [first, first]) == first)
        #expect(try ModuleMetadata(merging: []).isEmpty)
    }

    @Test(
        "documents that are broken are refused with the reason",
        arguments: [
            "document: [", "---\ndocument: modulemd\nversion: 2\ndata: {}\n...\n", "---\ndocument: something\nversion: 2\n...\n",
            "\u{0}\u{1}",
        ])
    func broken(yaml: String) {
        let error = #expect(throws: ModuleMetadataError.self) { try ModuleMetadata(yaml: yaml) }
        #expect(error?.description.isEmpty == false)
    }

    @Test("obsoletes and translations of several places are all there")
    func mergedRemarks() throws {
        let first = try ModuleMetadata(yaml: Self.stream("m", "1", 1, "c") + Self.obsoletes("m", "1"))
        let second = try ModuleMetadata(yaml: Self.stream("m", "2", 1, "c") + Self.translation("m", "1") + Self.translation("m", "2"))
        let merged = try ModuleMetadata(merging: [first, second, first])
        #expect(merged.remarks.filter { $0.kind == .obsoletes }.map(\.stream) == ["1"])
        #expect(merged.remarks.filter { $0.kind == .translation }.map(\.stream) == ["1", "2"])
        let written = try ModuleMetadata(yaml: merged.yaml(of: Set(merged.streams.map(\.id)), packages: []))
        #expect(written.remarks.filter { $0.kind == .translation }.map(\.stream) == ["1", "2"])
    }

    @Test("a document that refers to itself without end is no larger for its packages' epochs")
    func aliases() throws {
        let nested = (1...20).map { "  a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ", "))]\n" }.joined()
        let yaml = "document: modulemd\nversion: 2\ndata:\n  a0: &a0 [x]\n\(nested)  artifacts:\n    rpms:\n    - a-b-c-d.e\n"
        #expect(throws: ModuleMetadataError.self) { try ModuleMetadata(yaml: yaml) }
    }

    @Test("a document of a repository that cannot be read costs its own module, and says which it is")
    func soundDocuments() throws {
        let broken = "---\ndocument: modulemd\nversion: 2\ndata:\n  name: bad\n  stream: \"2\"\n  summary: [\n...\n"
        let first = """
            ---
            document: modulemd
            version: 1
            data:
              name: sample
              stream: master
              version: 20170601000000
              summary: s
              description: d
              license: {module: [MIT]}
              artifacts: {rpms: [ed-1.20-3.x86_64]}

            """
        let unknown = "---\ndocument: modulemd-recipes\nversion: 1\ndata:\n  module: cake\n"
        let metadata = ModuleMetadata(
            soundDocumentsOf: "# by hand\n" + Self.stream("m", "1", 1, "c") + broken + Self.defaults("m", "1") + first + unknown
                + Self.stream("n", "1", 1, "c") + Self.obsoletes("n", "1") + Self.defaults("m", "1") + "---\ndata: \u{0}\n")
        #expect(metadata.streams.map(\.id.nameAndStream) == ["m:1", "n:1"])
        #expect(metadata.defaults.map(\.module) == ["m"])
        #expect(metadata.remarks.map(\.module) == ["n"])
        #expect(metadata.unusable.map(\.module) == ["bad", "sample", "cake", nil])
        #expect(metadata.unusable.map(\.stream) == ["2", "master", nil, nil])
        #expect(metadata.unusable.map(\.number) == [2, 4, 5, 9])
        #expect(
            metadata.of("the repository /srv/repo").unusable[1].description.hasPrefix(
                "The module metadata of the repository /srv/repo cannot be used for the module sample:master: "))
        #expect(try ModuleMetadata(merging: [metadata, ModuleMetadata()]) == metadata)
    }

    @Test("a document without context or architecture is as good as another")
    func incomplete() throws {
        let text = Self.stream("m", "1", 1, "c").replacing("  context: c\n", with: "").replacing("  arch: x86_64\n", with: "")
        let metadata = ModuleMetadata(soundDocumentsOf: text)
        #expect(metadata.unusable.isEmpty)
        let stream = try #require(metadata.streams.first)
        #expect(stream.arch == nil && stream.id.context.isEmpty)
        #expect(try metadata.yaml(of: [stream.id], packages: stream.artifacts).contains("name: m"))
    }

    @Test("no documents are no modules")
    func empty() throws {
        let metadata = try ModuleMetadata(yaml: "")
        #expect(metadata.isEmpty)
    }

    // MARK: Documents

    private static func stream(
        _ name: String, _ stream: String, _ version: Int, _ context: String, requires: [String: [String]] = ["platform": ["f26"]],
        artifacts: [String] = ["x-0:1-1.x86_64"], filters: [String] = []
    ) -> String {
        """
        ---
        document: modulemd
        version: 2
        data:
          name: \(name)
          stream: "\(stream)"
          version: \(version)
          context: \(context)
          arch: x86_64
          summary: A module
          description: >-
            A module.
          license:
            module: [MIT]
          dependencies:
          - requires: {\(requires.map { "\($0): [\($1.joined(separator: ", "))]" }.sorted().joined(separator: ", "))}
          filter: {rpms: [\(filters.joined(separator: ", "))]}
          artifacts:
            rpms:
        \(artifacts.map { "    - \($0)" }.joined(separator: "\n"))
        ...

        """
    }

    private static func defaults(_ name: String, _ stream: String) -> String {
        """
        ---
        document: modulemd-defaults
        version: 1
        data:
          module: \(name)
          stream: "\(stream)"
          profiles: {"\(stream)": [common]}
        ...

        """
    }

    private static func obsoletes(_ name: String, _ stream: String) -> String {
        """
        ---
        document: modulemd-obsoletes
        version: 1
        data:
          modified: 2020-05-09T08:09Z
          module: \(name)
          stream: "\(stream)"
          message: "It is old."
          obsoleted_by: {module: \(name), stream: "99"}
        ...

        """
    }

    private static func translation(_ name: String, _ stream: String) -> String {
        """
        ---
        document: modulemd-translations
        version: 1
        data:
          module: \(name)
          stream: "\(stream)"
          modified: 201805231425
          translations: {de: {summary: Ein Modul}}
        ...

        """
    }
}
