import Foundation
import ImageModel
import Testing

@Suite("Definitions and builds")
struct BuildsTests {
    @Test("a definition that an older version wrote has the defaults of newer members, and a new one keeps all of them")
    func decoding() throws {
        let old = """
            {"source": {"containerfile": {"_0": "FROM scratch"}}, "platforms": [{"os": "linux", "architecture": "amd64"}], "arguments": {}, "requires": {},
             "network": "none", "update": true, "movesLatest": false}
            """
        var definition = try JSONDecoder().decode(ImageDefinition.self, from: Data(old.utf8))
        #expect(definition.source == .containerfile("FROM scratch"))
        #expect(definition.update && !definition.movesLatest)
        #expect(definition.tags == [] && definition.caches == [:] && definition.diskMegabytes == nil)
        definition.tags = ["stable"]
        definition.caches = ["ccache": "/var/cache/ccache"]
        definition.diskMegabytes = 1
        definition.memoryMegabytes = 2
        #expect(try JSONDecoder().decode(ImageDefinition.self, from: JSONEncoder().encode(definition)) == definition)
    }

    @Test("tags that move come last, latest as the last one, and {date} stands for the tag of the date")
    func listTags() throws {
        var definition = ImageDefinition(source: .containerfile(""), platforms: [.host])
        definition.tags = ["stable", "v1-{date}"]
        func tags(_ definition: ImageDefinition) throws -> [String] {
            let build = Build(
                id: 1, owner: "me", image: 1, request: BuildRequest(definition), dateTag: try ImageTag("20261129.2"), state: .wait,
                timeSubmitted: Date(timeIntervalSince1970: 0), steps: [])
            return try build.listTags.map { "\($0.tag) \($0.moves)" }
        }
        #expect(try tags(definition) == ["20261129.2 false", "v1-20261129.2 false", "stable true", "latest true"])
        definition.movesLatest = false
        #expect(try tags(definition) == ["20261129.2 false", "v1-20261129.2 false", "stable true"])
    }
}
