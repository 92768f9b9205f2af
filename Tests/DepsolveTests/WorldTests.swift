import Depsolve
import Foundation
import Testing

@Suite("Worlds")
struct WorldTests {
    @Test("a request is answered as expected", arguments: World.all)
    func answer(_ world: World) async throws {
        let resolution = try await withTemporaryDirectory { directory in
            try await Depsolver().resolve(world.request(below: directory))
        }
        let rendered = World.rendered(resolution)
        let difference = try Self.difference(expected: world.text("expected"), got: rendered)
        #expect(difference.isEmpty, "\(world.testDescription):\n\(difference.joined(separator: "\n"))")
    }

    /// The lines that are too many (`+`) and too few (`-`), among the others. Empty if there are none.
    private static func difference(expected: String, got: String) -> [String] {
        let (expected, got) = (expected.split(separator: "\n"), got.split(separator: "\n"))
        let changes = got.difference(from: expected)
        if changes.isEmpty { return [] }
        var lines = expected.map { "  \($0)" }
        for case .remove(let offset, let line, _) in changes.removals { lines[offset] = "- \(line)" }
        var shown = lines.makeIterator()
        var result: [String] = []
        var insertions = changes.insertions.makeIterator()
        var nextInsertion = insertions.next()
        var position = 0
        while true {
            if case .insert(let offset, let line, _) = nextInsertion, offset == position {
                result.append("+ \(line)")
                nextInsertion = insertions.next()
                position += 1
            } else if let line = shown.next() {
                result.append(line)
                if !line.hasPrefix("- ") { position += 1 }
            } else {
                return result
            }
        }
    }
}
