import Foundation
import SystemPackage
import Testing

@testable import odcs_server

/// The directories of workers that build images on one host.
@Suite struct NodeDirectoryTests {
    @Test("two workers have different directories, and a directory that is free is used again")
    func claim() throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-nodes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: parent.string) }
        let first = try NodeDirectory.claim(below: parent)
        let second = try NodeDirectory.claim(below: parent)
        #expect([first.path, second.path] == [parent.appending("1"), parent.appending("2")])
        let left = first.rpmdbs.appending("odcs-contents-1/rpmdb.sqlite")
        try FileManager.default.createDirectory(atPath: left.removingLastComponent().string, withIntermediateDirectories: true)
        for file in [left, first.transfers.appending("context-1.tar")] { try Data("left".utf8).write(to: URL(filePath: file.string)) }
        first.release()
        let third = try NodeDirectory.claim(below: parent)
        #expect(third.path == first.path)
        #expect(FileManager.default.fileExists(atPath: third.contexts.string))
        // The worker before was killed while it read an rpmdb, and while it sent a context to a node.
        for directory in [third.rpmdbs, third.transfers] {
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.string) == [])
        }
        second.release()
        third.release()
    }
}
