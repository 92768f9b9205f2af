import Foundation
import Subprocess
public import SystemPackage

/// A git repository in a folder.
public struct GitFolder: Sendable {
    /// An error: a command of git failed.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let path: FilePath
    public var url: String { "file://\(path)" }

    public init(_ path: FilePath) async throws {
        self.path = path
        try await git("init", "--quiet", "--initial-branch=main", path.string)
    }

    /// Commits files, and returns the name of the commit.
    ///
    /// - Parameter tag: A tag for the commit.
    @discardableResult
    public func commit(_ files: [String: String], tag: String? = nil) async throws -> String {
        for (name, text) in files {
            let file = path.pushing(FilePath(name))
            try FileManager.default.createDirectory(atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
        }
        try await git("-C", path.string, "add", "--all")
        try await git("-C", path.string, "-c", "user.name=me", "-c", "user.email=me@example.org", "commit", "--quiet", "--message=files")
        if let tag { try await git("-C", path.string, "tag", tag) }
        return try await git("-C", path.string, "rev-parse", "HEAD").trimmingCharacters(in: .newlines)
    }

    @discardableResult
    private func git(_ arguments: String...) async throws -> String {
        let done = try await Subprocess.run(
            .name("git"), arguments: Arguments(arguments), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        guard done.terminationStatus.isSuccess else { throw Failure(description: done.standardError) }
        return done.standardOutput
    }
}
