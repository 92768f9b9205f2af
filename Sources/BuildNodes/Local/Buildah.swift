import Foundation
import Processes
import SystemPackage

/// Runs buildah(1) as the build account, on a lifeline, with the storage of a node.
struct Buildah: Sendable {
    let storage: BuildStorage

    /// The time for cleanup that buildah has after it was asked to end. It removes the working container in
    /// about 0.3 s.
    static let grace = Duration.milliseconds(1500)

    /// Returns buildah with these arguments.
    func process(
        _ arguments: [String], in work: FilePath, timeLimit: Duration? = nil, group: ControlGroup? = nil
    ) -> ChildProcess {
        program("buildah", storage.options + arguments, in: work, timeLimit: timeLimit, group: group)
    }

    /// Runs buildah to its end and returns what it has printed.
    func run(_ arguments: [String], in work: FilePath) async throws -> (ending: ChildProcess.Ending, transcript: BuildTranscript) {
        let transcript = BuildTranscript()
        let ending = try await process(arguments, in: work).run { transcript.append($0) }
        transcript.finish()
        return (ending, transcript)
    }

    /// Removes a directory whose files may belong to a subordinate number of the account.
    func removeDirectory(_ directory: FilePath) async throws {
        // If it fails, the files belong to such a number, and root of the namespace can remove them.
        if (try? FileManager.default.removeItem(atPath: directory.string)) != nil { return }
        _ = try await program("rm", ["-rf", "--", directory.string], in: storage.directory).run { _ in }
    }

    /// Whether a program can be started in the namespace.
    func canEnterNamespace() async throws -> Bool {
        let work = try storage.makeWorkDirectory()
        let ending = try await program("true", [], in: work).run { _ in }
        try await removeDirectory(work)
        return ending == .exited(0)
    }

    /// The program is root of a user namespace with the numbers of the account. That namespace comes before
    /// the lifeline, because only root can make one for process ids.
    private func program(
        _ program: String, _ arguments: [String], in work: FilePath, timeLimit: Duration? = nil, group: ControlGroup? = nil
    ) -> ChildProcess {
        ChildProcess(
            program: program, arguments: arguments, environment: storage.environment(in: work), directory: work, timeLimit: timeLimit,
            grace: Self.grace,
            lifeline: Lifeline(entry: (group?.entry ?? []) + storage.account.entry + storage.namespace.entry))
    }
}
