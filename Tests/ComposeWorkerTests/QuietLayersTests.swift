import Compression
import Repodata
import SystemPackage
import Testing

@testable import ComposeWorker

@Suite("Layers of repositories that are quiet")
struct QuietLayersTests {
    private let start = ContinuousClock.now

    private func layer(_ number: Int, of place: String) -> RepositoryMetadata {
        RepositoryMetadata(id: id(number), directory: "/nowhere", hasFilelists: true, hasOther: true, base: id(0), place: place)
    }

    private func id(_ number: Int) -> Checksum { Checksum(.sha256, hex: String(repeating: "0", count: 63) + "\(number)") }

    @Test("the last layer of a repository is taken once, when no other revision has come for ten seconds")
    func quiet() {
        var layers = QuietLayers()
        layers.note([layer(1, of: "a"), layer(1, of: "b")], at: start)
        layers.note([layer(2, of: "a")], at: start + .seconds(9))
        #expect(layers.take(at: start + .seconds(9)) == [])
        #expect(layers.take(at: start + .seconds(10)) == [layer(1, of: "b")])
        #expect(layers.take(at: start + .seconds(18)) == [])
        #expect(layers.take(at: start + .seconds(19)) == [layer(2, of: "a")])
        #expect(layers.take(at: start + .seconds(99)) == [])
    }

    @Test("whole metadata is not taken, and neither is the layer before it")
    func whole() {
        var layers = QuietLayers()
        layers.note([layer(1, of: "a")], at: start)
        layers.note([RepositoryMetadata(id: id(2), directory: "/nowhere", hasFilelists: true, hasOther: true, place: "a")], at: start)
        #expect(layers.take(at: start + .seconds(99)) == [])
    }
}
