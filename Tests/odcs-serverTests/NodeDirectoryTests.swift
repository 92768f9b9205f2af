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
        first.release()
        let third = try NodeDirectory.claim(below: parent)
        #expect(third.path == first.path)
        #expect(FileManager.default.fileExists(atPath: third.contexts.string))
        second.release()
        third.release()
    }
}
