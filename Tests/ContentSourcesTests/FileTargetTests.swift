import Foundation
import SystemPackage
import Testing

@testable import ContentSources

@Suite("A file that a download writes")
struct FileTargetTests {
    @Test("a task that is canceled before the file is closed leaves no open file")
    func canceled() async throws {
        try await Workbench.with { bench in
            let path = bench.tree.appending("file")
            let problem = await Task { () async -> TransferProblem? in
                do throws(TransferProblem) {
                    let target = try await FileTarget(path, on: bench.threadPool)
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await target.close()
                    return nil
                } catch {
                    return error
                }
            }.value
            #expect(problem == .canceled)
            let open = try descriptors(of: path)
            #expect(open == [])
        }
    }

    /// The descriptors by which this process has the file open.
    private func descriptors(of path: FilePath) throws -> [String] {
        let all = "/proc/self/fd"
        // A descriptor of another test may be closed meanwhile.
        return try FileManager.default.contentsOfDirectory(atPath: all).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(all)/\($0)")) == path.string
        }
    }
}
