import Foundation
import Glibc
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

    @Test("a directory that is released is free at once, although a program that is being started has its descriptors")
    func releaseBesideStart() throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-nodes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: parent.string) }
        let first = try NodeDirectory.claim(below: parent)
        // Between fork and exec, a child has copies of all descriptors.
        let copies = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { name -> Int32? in
            let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
            return file == first.path.appending("lock").string ? dup(Int32(name) ?? -1) : nil
        }
        defer { for copy in copies { close(copy) } }
        // A copy can get the number of a file that was closed meanwhile, and is copied again then.
        #expect(!copies.isEmpty)
        first.release()
        let second = try NodeDirectory.claim(below: parent)
        defer { second.release() }
        #expect(second.path == first.path)
    }

    @Test("a worker removes the files of killed workers in directories that are free, and no others")
    func others() throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-nodes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: parent.string) }
        let directories = try (1...3).map { _ in try NodeDirectory.claim(below: parent) }
        let files = directories.flatMap { [$0.contexts, $0.rpmdbs, $0.transfers].map { $0.appending("left") } }
        for file in files { try Data("left".utf8).write(to: URL(filePath: file.string)) }
        for directory in [directories[0], directories[2]] { directory.release() }
        let first = try NodeDirectory.claim(below: parent)
        defer { for directory in [first, directories[1]] { directory.release() } }
        #expect(first.path == directories[0].path)
        // The sweeper removes the contexts of the directory that it uses.
        let kept = files.filter { FileManager.default.fileExists(atPath: $0.string) }
        #expect(kept == [files[0], files[3], files[4], files[5]])
    }

    @Test("workers that start at the same time after a crash take the directories that are there, with their images")
    func together() async throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-nodes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: parent.string) }
        let workers = 4
        for _ in 1...10 {
            let crashed = try (0..<workers).map { _ in try NodeDirectory.claim(below: parent) }
            for directory in crashed {
                for number in 0..<50 { try Data().write(to: URL(filePath: directory.contexts.appending("\(number)").string)) }
                directory.release()
            }
            let started = try await withThrowingTaskGroup(of: NodeDirectory.self) { group in
                for _ in 0..<workers { group.addTask { try NodeDirectory.claim(below: parent) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(started.map(\.path)) == Set(crashed.map(\.path)))
            for directory in started { directory.release() }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: parent.string)
        #expect(Set(names) == Set(["lock"] + (1...workers).map(String.init)))
    }

    @Test("a worker that builds nothing itself takes no directory with images")
    func withoutNode() throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-nodes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: parent.string) }
        let builder = try NodeDirectory.claim(below: parent)
        try FileManager.default.createDirectory(atPath: builder.node.string, withIntermediateDirectories: true)
        builder.release()
        let other = try NodeDirectory.claim(below: parent, hasNode: false)
        defer { other.release() }
        #expect(other.path == parent.appending("2"))
        let again = try NodeDirectory.claim(below: parent)
        defer { again.release() }
        #expect(again.path == builder.path)
    }
}
