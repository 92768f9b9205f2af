import ComposeModel
import Foundation
import Glibc
import SystemPackage

/// A git repository that is fetched as it is configured here, and not as this host's users have configured git.
struct GitRepository: Sendable {
    /// As messages call it: "the Pungi configuration fedora".
    let name: String
    let url: String
    /// Texts that must not be shown, with what is shown in their place.
    var hidden: [(text: String, by: String)] = []
    /// Variables that git gets beside its own.
    var environment: [String: String] = [:]
    /// Further settings of git, as KEY=VALUE.
    var settings: [String] = []
    /// Bytes of the largest file that fetching may write; a repository comes as one.
    let sizeLimit: Int
    let timeLimit: Duration
    let log: ComposeLog

    /// Clones it into the new directory `directory` and checks out `revision`: a commit, or the start of its name, a branch or a tag. Gives the full name
    /// of the commit.
    ///
    /// All branches and tags are fetched and nothing else, so that a commit counts only when one of them contains it: servers also keep commits that
    /// anybody has proposed. Throws `.sourceNotUsable` for a revision that there is not, `.sourceUnreachable` (transient) when the repository does not
    /// answer, `.limitExceeded` when it is too large or too slow.
    func checkOut(_ revision: String, into directory: FilePath) async throws -> String {
        guard Self.isRevision(revision) else {
            throw ComposeFailure(.sourceNotUsable, "\"\(revision.prefix(100))\" is not a commit, a branch or a tag of \(name).")
        }
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw ComposeFailure(storage: error)
        }
        try await clone(into: directory)
        guard let commit = try await commit(revision, in: directory) else {
            throw ComposeFailure(
                .sourceNotUsable,
                "\(opening) has no commit, branch or tag \(revision). A commit has to be part of one of its branches or tags.")
        }
        try await checkOut(commit: commit, in: directory)
        return commit
    }

    private var opening: String { name.prefix(1).uppercased() + name.dropFirst() }

    /// What may stand for a commit: never an option, a range or another of git's expressions.
    private static func isRevision(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 200, !text.contains(".."), !text.contains("//"), !text.hasSuffix("/"),
            !text.hasSuffix(".lock"), !text.hasSuffix(".")
        else { return false }
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        return isLetterOrDigit(first) && text.utf8.allSatisfy { isLetterOrDigit($0) || "._-/+".utf8.contains($0) }
    }

    private func clone(into directory: FilePath) async throws {
        let (ending, output) = try await run(
            [
                "clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--origin=origin", "--", url, ".",
            ], in: directory)
        guard ending != .exited(0) else { return }
        let lines = output.lastLines()
        for line in lines { log.write(.error, "git: \(line)") }
        let text = lines.joined(separator: "\n")
        // prlimit(1): the signal itself, or git's or the shell's word for it.
        if ending == .signaled(SIGXFSZ) || text.contains("File too large") || text.contains("died of signal \(SIGXFSZ)") {
            throw ComposeFailure(
                .limitExceeded,
                "The repository of \(name) is too large: more than \(sizeLimit) bytes.")
        }
        if ending == .timeLimit {
            throw ComposeFailure(
                .limitExceeded,
                "Fetching the repository of \(name) took longer than \(timeLimit.components.seconds) seconds.",
                isTransient: true)
        }
        if text.contains("No space left on device") { throw ComposeFailure(storage: Errno.noSpace) }
        throw ComposeFailure(
            .sourceUnreachable,
            "The repository of \(name) could not be fetched: git \(ending.inWords)\(lines.last.map { ", and said: \($0)" } ?? "").",
            isTransient: true)
    }

    /// The full name of the commit that `revision` means: a tag, a branch or the start of a commit's own name, in this order; `nil` for none of them.
    private func commit(_ revision: String, in directory: FilePath) async throws -> String? {
        let isName = revision.utf8.count >= 4 && revision.allSatisfy { $0.isASCII && $0.isHexDigit }
        for candidate in ["refs/tags/\(revision)", "refs/remotes/origin/\(revision)"] + (isName ? [revision] : []) {
            let (ending, output) = try await run(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(candidate)^{commit}"], in: directory)
            if ending == .exited(0), let line = output.lastLines().last { return line }
        }
        return nil
    }

    private func checkOut(commit: String, in directory: FilePath) async throws {
        let (ending, output) = try await run(["checkout", "--quiet", "--detach", "--force", commit], in: directory)
        guard ending != .exited(0) else { return }
        let lines = output.lastLines()
        for line in lines { log.write(.error, "git: \(line)") }
        if lines.contains(where: { $0.contains("No space left on device") }) { throw ComposeFailure(storage: Errno.noSpace) }
        throw ComposeFailure(
            .sourceNotUsable,
            "\(opening) could not be checked out at \(commit): git \(ending.inWords)\(lines.last.map { ", and said: \($0)" } ?? "")."
        )
    }

    private func run(_ arguments: [String], in directory: FilePath) async throws -> (ChildProcess.Ending, OutputTail) {
        let output = OutputTail(hiding: hidden)
        var variables = ChildProcess.plainEnvironment(home: directory)
        variables.merge([
            "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_OPTIONAL_LOCKS": "0",
            "LANG": "C",
        ]) { $1 }
        variables.merge(environment) { $1 }
        let settings = (["core.hooksPath=/dev/null", "protocol.ext.allow=never"] + settings).flatMap { ["-c", $0] }
        let child = ChildProcess(
            program: "prlimit", arguments: ["--fsize=\(sizeLimit)", "git"] + settings + arguments, environment: variables,
            directory: directory, timeLimit: timeLimit)
        do {
            let ending = try await child.run { output.append($0) }
            output.finish()
            return (ending, output)
        } catch is ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal, "\(opening) cannot be fetched: git cannot be started by this worker. Its administrators can help.")
        }
    }
}
