import Foundation
import SystemPackage

/// A directory that lives as long as the object.
final class TemporaryDirectory: Sendable {
    let path: FilePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = FilePath(url.path)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path.string)
        } catch {
            print("\(path) was not removed: \(error)")
        }
    }

    /// Makes a file in it.
    func file(_ name: String, _ bytes: [UInt8]) throws -> FilePath {
        let file = path.appending(name)
        try Data(bytes).write(to: URL(fileURLWithPath: file.string))
        return file
    }

    func file(_ name: String, _ text: String) throws -> FilePath { try file(name, Array(text.utf8)) }
}

extension FilePath {
    var bytes: [UInt8] { get throws { [UInt8](try Data(contentsOf: URL(fileURLWithPath: string))) } }

    var exists: Bool { FileManager.default.fileExists(atPath: string) }
}
