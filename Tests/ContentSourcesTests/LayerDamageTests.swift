import ComposeModel
import Compression
import Foundation
import Glibc
import LogTestKit
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Damaged layers, and layers that another worker disturbs")
struct LayerDamageTests {
    private static let names = (0..<50).map { "p\($0)" }
    private static let all = names + ["new"]

    /// Reads a base and then a layer over it.
    private func with(
        _ body: (Workbench, SmallRepository, PinnedRepository, RecordingLog, RepositorySource) async throws -> Void
    ) async throws {
        try await Workbench.with { bench in
            let log = RecordingLog()
            let source = try bench.source(logger: log.logger)
            let repository = try SmallRepository(bench)
            try repository.write(Self.names)
            _ = try await repository.fetch(source)
            try repository.write(Self.all)
            let layer = try await repository.fetch(source)
            #expect(layer.metadata.base != nil)
            #expect(log.lines == [])
            try await body(bench, repository, layer, log, source)
        }
    }

    /// Replaces a file by a new one. Other links to the old file stay as they are.
    private func replace(_ file: FilePath, with bytes: [UInt8]) throws {
        unlink(file.string)
        try file.write(bytes)
    }

    private enum Damage: CaseIterable {
        case isMissing, isEmpty, isCut, isAltered, isLonger
    }

    @Test(
        "any damage to a file of a layer is noticed, reported, and repaired by reading the repository",
        arguments: ["base", "primary.changes", "filelists.changes", "other.changes", "repomd.xml"])
    func damage(name: String) async throws {
        try await with { _, repository, layer, log, source in
            let file = layer.metadata.directory.appending(name)
            for damage in Damage.allCases {
                for _ in 0..<(damage == .isAltered || damage == .isCut ? 12 : 1) {
                    var bytes = try file.contents()
                    let place = Int.random(in: bytes.indices)
                    switch damage {
                    case .isMissing: bytes = []
                    case .isEmpty: bytes = []
                    case .isCut: bytes.removeSubrange(place...)
                    case .isAltered: bytes[place] ^= 1 << UInt8.random(in: 0..<8)
                    case .isLonger: bytes.append(0)
                    }
                    try replace(file, with: bytes)
                    if damage == .isMissing { unlink(file.string) }
                    log.clear()
                    let again = try await repository.fetch(source)
                    let context = "\(name) \(damage) at \(place)"
                    #expect(try SmallRepository.names(in: again, of: Self.all) == Self.all, "\(context)")
                    #expect(log.lines.contains { $0.hasPrefix("warning Damaged metadata is read again") }, "\(context): \(log.lines)")
                }
            }
        }
    }

    @Test("the changes since another base are not used, even if the documents have the same sizes")
    func otherBase() async throws {
        try await with { bench, _, layer, log, source in
            let second = try SmallRepository(bench, "second")
            let names = Self.names.map { $0.replacing("p", with: "q") }
            try second.write(names)
            _ = try await second.fetch(source)
            try second.write(names + ["new"])
            let other = try await second.fetch(source)
            #expect(try other.metadata.primary.stat().size == layer.metadata.primary.stat().size)
            for document in MetadataDocument.allCases {
                let name = "\(document.rawValue).changes"
                try replace(other.metadata.directory.appending(name), with: layer.metadata.directory.appending(name).contents())
                let again = try await second.fetch(source)
                #expect(try SmallRepository.names(in: again, of: Self.all + names) == ["new"] + names)
                #expect(
                    log.lines.last
                        == "warning Damaged metadata is read again problem=\(name) is damaged repository=\(second.location)")
            }
        }
    }

    @Test("a base that another worker removes while a revision is fetched is not used")
    func removedBase() async throws {
        try await with { bench, repository, layer, log, _ in
            let base = try #require(layer.metadata.base)
            try await FileServer.with(bench.sources) { server in
                let source = try bench.source([server.address], logger: log.logger)
                let location = try RepositoryLocation("\(server.address)/repo")
                try repository.write(Self.names)
                let first = try await source.pinAndFetch(location)
                #expect(first.metadata.id == base)
                // The base of this location, as a compose leaves it.
                let name = bench.cache.appending("latest").appending(Checksum.ofText("\(location)").hex)
                try name.write(base.hex)
                let place = first.metadata.directory
                server.answer { request in
                    if request.path.contains("other") { try? FileManager.default.removeItem(atPath: place.string) }
                    return .file
                }
                try repository.write(Self.names + ["newer"])
                let second = try await source.pinAndFetch(location)
                #expect(second.metadata.base == nil)
                #expect(try SmallRepository.names(in: second, of: Self.names + ["newer"]) == Self.names + ["newer"])
                #expect(
                    log.lines == [
                        "info A repository is read as a whole reason=the files of the older revision could not be linked repository=\(location)"
                    ])
                log.clear()
                // It is the base of the next revision only after a compose.
                try repository.write(Self.names + ["newest"])
                #expect(try await source.pinAndFetch(location).metadata.base == nil)
                #expect(
                    log.lines == [
                        "info A repository is read as a whole reason=the older revision has no index or no packages repository=\(location)"
                    ])
            }
        }
    }

    @Test("a worker that was killed before or after the publication leaves nothing that is used")
    func killed() async throws {
        try await with { bench, repository, layer, log, source in
            let place = layer.metadata.directory
            let files = try bench.names(in: place)
            let left = bench.cache.appending(".preparing-killed")
            for count in 0...files.count {
                // It was killed before the directory got its name.
                #expect(rename(place.string, left.string) == 0)
                for name in files.dropFirst(count) { unlink(left.appending(name).string) }
                let again = try await repository.fetch(source)
                #expect(again == layer)
                #expect(try SmallRepository.names(in: again, of: Self.all) == Self.all)
                try FileManager.default.removeItem(atPath: left.string)
            }
            // It was killed before the revision was recorded.
            try FileManager.default.removeItem(atPath: bench.cache.appending("latest").string)
            #expect(try await SmallRepository.names(in: repository.fetch(source), of: Self.all) == Self.all)
            try repository.write(Self.names + ["newer"])
            let next = try await repository.fetch(source)
            #expect(next.metadata.base == nil)
            #expect(try SmallRepository.names(in: next, of: Self.all + ["newer"]) == Self.names + ["newer"])
            #expect(log.lines == [])
        }
    }
}
