import Compression
import Foundation
import SystemPackage
import Testing

@testable import Repodata

@Suite("Values kept for good")
struct SegmentStoreTests {
    private func key(_ number: Int) -> Checksum { FileChecksum.of(Array("\(number)".utf8), .sha256) }

    private func values(_ numbers: Range<Int>, size: Int = 100) -> [Checksum: [UInt8]] {
        Dictionary(uniqueKeysWithValues: numbers.map { (key($0), [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: size)) })
    }

    @Test("what one adds, another finds when it looks again, and no sooner")
    func shared() throws {
        let directory = try TemporaryDirectory()
        let one = SegmentStore(directory: directory.path.appending("a/b"))
        let other = SegmentStore(directory: directory.path.appending("a/b"))
        try other.refresh()
        try one.add(values(0..<100))
        let wanted = key(42)
        #expect(one.value(of: wanted) == [UInt8](repeating: 42, count: 100))
        #expect(other.value(of: wanted) == nil)
        try other.refresh()
        #expect(other.value(of: wanted) == [UInt8](repeating: 42, count: 100))
        #expect(other.value(of: key(100)) == nil)
    }

    @Test("many additions become few files, and nothing is lost by it")
    func merged() throws {
        let directory = try TemporaryDirectory()
        let store = SegmentStore(directory: directory.path)
        let slow = SegmentStore(directory: directory.path)
        for number in 0..<200 {
            try store.add(values(number..<number + 1))
            if number == 100 { try slow.refresh() }
        }
        #expect(try directory.path.names.count < 24)
        #expect(try directory.path.names.allSatisfy { $0.hasSuffix(".segment") })
        for number in 0..<200 { #expect(store.value(of: key(number))?.first == UInt8(number)) }
        // The files that it has mapped are gone by now.
        for number in 0...100 { #expect(slow.value(of: key(number))?.first == UInt8(number)) }
    }

    @Test("many writers at once lose nothing")
    func concurrent() async throws {
        let directory = try TemporaryDirectory()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let store = SegmentStore(directory: directory.path)
                    for number in 0..<40 { try store.add(values(writer * 40 + number..<writer * 40 + number + 1)) }
                }
            }
            try await group.waitForAll()
        }
        let store = SegmentStore(directory: directory.path)
        try store.refresh()
        for number in 0..<160 { #expect(store.value(of: key(number))?.first == UInt8(number)) }
    }

    @Test("a value that was damaged counts as not there, and can be added again")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        try SegmentStore(directory: directory.path).add(values(0..<10))
        let file = directory.path.appending(try #require(try directory.path.names.first))
        var bytes = try file.bytes
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: file.string))
        let store = SegmentStore(directory: directory.path)
        try store.refresh()
        let lost = (0..<10).filter { store.value(of: key($0)) == nil }
        #expect(lost.count == 1)
        try store.add(values(lost[0]..<lost[0] + 1))
        #expect(store.value(of: key(lost[0])) != nil)
    }

    @Test("a file that is cut off, empty or something else does no harm", arguments: [0, 5, 16, 100, 900])
    func cut(length: Int) throws {
        let directory = try TemporaryDirectory()
        try SegmentStore(directory: directory.path).add(values(0..<10))
        let file = directory.path.appending(try #require(try directory.path.names.first))
        try Data(try file.bytes.prefix(length)).write(to: URL(fileURLWithPath: file.string))
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory.path.appending("notes.txt").string))
        let store = SegmentStore(directory: directory.path)
        try store.refresh()
        try store.add(values(0..<10))
        for number in 0..<10 { #expect(store.value(of: key(number)) != nil) }
    }
}
