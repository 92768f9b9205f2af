import Modules
import Testing

@Suite struct ModuleChainsTests {
    private func stream(_ nameAndStream: String, needs: String...) throws -> ModuleStream {
        let parts = nameAndStream.split(separator: ":").map(String.init)
        let requires = needs.map { need in
            let parts = need.split(separator: ":").map(String.init)
            return "      \(parts[0]): [\"\(parts[1])\"]\n"
        }.joined()
        let yaml = """
            document: modulemd
            version: 2
            data:
              name: \(parts[0])
              stream: "\(parts[1])"
              version: 1
              context: a
              summary: S
              description: D
              license: {module: [MIT]}
              dependencies:
              - requires:
            \(requires.isEmpty ? "      platform: [f26]\n" : requires)
            """
        return try #require(try ModuleMetadata(yaml: yaml).streams.first)
    }

    @Test("each module is in by the shortest way from what was asked for")
    func shortest() throws {
        let streams = try [
            stream("nodejs:20", needs: "python:3"), stream("python:3", needs: "ssl:1"), stream("ssl:1"),
            stream("web:1", needs: "nodejs:20", "ssl:1"), stream("stray:1"),
        ]
        let chains = ModuleChains(of: [ModuleReference(name: "web", stream: "1")], among: streams)
        func reason(_ name: String) -> String? { chains.reason(for: streams.first { $0.id.name == name }!.id) }
        #expect(reason("web") == "requested")
        #expect(reason("ssl") == "required by web:1, which was requested")
        #expect(reason("python") == "required by nodejs:20, required by web:1, which was requested")
        #expect(reason("stray") == nil)
    }

    @Test("modules that depend on each other end")
    func cycle() throws {
        let streams = try [stream("a:1", needs: "b:1"), stream("b:1", needs: "a:1")]
        let chains = ModuleChains(of: [ModuleReference(name: "a", stream: "1")], among: streams)
        #expect(chains[streams[1].id] == ["a:1", "b:1"])
    }
}
