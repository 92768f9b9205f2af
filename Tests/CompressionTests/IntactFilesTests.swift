import Compression
import Foundation
import Glibc
import SystemPackage
import Testing

@Suite("files whose digest was compared")
struct IntactFilesTests {
    private func identity(_ file: URL) throws -> FileIdentity? {
        let descriptor = try FileDescriptor.open(FilePath(file.path), .readOnly)
        return try descriptor.closeAfter { FileIdentity(of: descriptor.rawValue) }
    }

    @Test("one is remembered until it changes, and one that has just changed is not remembered")
    func remembered() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "intact-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("one".utf8).write(to: file)
        IntactFiles.insert(try identity(file))
        #expect(!IntactFiles.contains(try identity(file)))

        var times = [timeval(tv_sec: 1_000_000, tv_usec: 5), timeval(tv_sec: 1_000_000, tv_usec: 5)]
        #expect(utimes(file.path, &times) == 0)
        #expect(!IntactFiles.contains(try identity(file)))
        IntactFiles.insert(try identity(file))
        #expect(IntactFiles.contains(try identity(file)))

        try Data("two".utf8).write(to: file)
        #expect(!IntactFiles.contains(try identity(file)))
        #expect(!IntactFiles.contains(nil))
    }
}
