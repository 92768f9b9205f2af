import Dispatch
import Foundation
public import SystemPackage

/// A file that another process writes, read as it grows.
public struct FollowedFile: Sendable {
    private let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// Waits until the file has a text. The kernel reports each change to `tail`.
    ///
    /// - Returns: Whether the file has the text. `false` if `tail` ended.
    public func awaitText(_ text: String) async throws -> Bool {
        let path = path.string
        return try await withCheckedThrowingContinuation { continuation in
            // The code that other tests run at the same time needs the few threads of NIO's pool.
            DispatchQueue.global().async { continuation.resume(with: Result { try Self.hasText(text, in: path) }) }
        }
    }

    private static func hasText(_ text: String, in path: String) throws -> Bool {
        let (tail, output) = (Process(), Pipe())
        tail.executableURL = URL(filePath: "/usr/bin/tail")
        tail.arguments = ["--follow=name", "--retry", "--lines=+1", path]
        tail.standardOutput = output
        try tail.run()
        defer { tail.terminate() }
        var seen = Data()
        while case let more = output.fileHandleForReading.availableData, !more.isEmpty {
            seen += more
            if seen.range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }
}
