import Foundation
import Subprocess
public import SystemPackage

/// A file that another process writes, read as it grows.
public struct FollowedFile: Sendable {
    private let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// Waits until the file has a text. The kernel reports each change to `tail`. The time limit of a test
    /// ends the wait.
    ///
    /// - Returns: Whether the file has the text. `false` if `tail` ended.
    public func awaitText(_ text: String) async throws -> Bool {
        let tail = try await Subprocess.run(
            .path("/usr/bin/tail"), arguments: ["--follow=name", "--retry", "--lines=+1", path.string], input: .none,
            output: .sequence, error: .discarded
        ) { tail in
            var seen = Data()
            for try await piece in tail.standardOutput {
                seen += piece.withUnsafeBytes { Data($0) }
                guard seen.range(of: Data(text.utf8)) != nil else { continue }
                try tail.send(signal: .terminate)
                return true
            }
            return false
        }
        try Task.checkCancellation()
        return tail.closureResult
    }
}
