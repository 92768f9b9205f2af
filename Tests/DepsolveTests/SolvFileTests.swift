import Depsolve
import Foundation
import Logging
import Repodata
import Testing

@Suite("The file in libsolv's form beside the metadata")
struct SolvFileTests {
    private let world = World.named("file-in-filelists")

    private func answer(_ request: DepsolveRequest) async throws -> String {
        let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
        return World.rendered(try await Depsolver(logger: silent).resolve(request))
    }

    @Test("the second time, primary.xml is not read any more")
    func secondTime() async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            let first = try await answer(request)
            try Data("no XML".utf8).write(to: directory.appending(path: "world/repodata/primary.xml"))
            #expect(try await answer(request) == first)
        }
    }

    @Test("the second time, it still says how many entries are no packages")
    func entriesLeftOut() async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            let file = directory.appending(path: "world/repodata/primary.xml")
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data(text.replacing("</metadata>", with: "<package type=\"rpm\"/><package type=\"rpm\"/></metadata>").utf8).write(to: file)
            for _ in 1...2 { #expect(try await Depsolver().resolve(request).unusable.map(\.count) == [2]) }
        }
    }

    @Test("damaged in any way, it is ignored and written anew")
    func damaged() async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            let expected = try await answer(request)
            let file = directory.appending(path: "world/repodata/pool.solv")
            let good = try Data(contentsOf: file)
            var damages = [Data(), Data("SOLV".utf8), good.dropLast(1), good.prefix(good.count / 2), good + [0]]
            for position in stride(from: 0, to: good.count, by: 23) {
                var damaged = good
                damaged[position] ^= 0x55
                damages.append(damaged)
            }
            for damage in damages {
                try damage.write(to: file)
                #expect(try await answer(request) == expected)
                #expect(try Data(contentsOf: file) == good)
            }
        }
    }

    @Test("that of another repository is ignored")
    func foreign() async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            let other = try World.named("chain").request(below: directory.appending(path: "other"))
            let expected = try await answer(request)
            _ = try await answer(other)
            let file = directory.appending(path: "world/repodata/pool.solv")
            try FileManager.default.removeItem(at: file)
            try FileManager.default.copyItem(at: directory.appending(path: "other/world/repodata/pool.solv"), to: file)
            #expect(try await answer(request) == expected)
        }
    }

    @Test("where it cannot be written, the answer is the same")
    func notWritable() async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            // Nothing can be renamed to a directory that is not empty.
            try FileManager.default.createDirectory(
                at: directory.appending(path: "world/repodata/pool.solv/in-the-way"), withIntermediateDirectories: true)
            #expect(try await answer(request) == world.text("expected"))
        }
    }

    @Test("nothing is left behind but the file itself")
    func nothingLeftBehind() async throws {
        try await withTemporaryDirectory { directory in
            _ = try await answer(world.request(below: directory))
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.appending(path: "world/repodata").path)
            #expect(names.sorted() == ["filelists.xml", "pool.solv", "primary.xml", "repomd.xml"])
        }
    }
}
