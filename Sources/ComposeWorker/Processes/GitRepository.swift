import ComposeModel
import Foundation
import Glibc
import Synchronization
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
    /// Bytes of the largest file that git may write; what is fetched comes as one.
    let sizeLimit: Int
    /// Of one command.
    let timeLimit: Duration
    let log: ComposeLog

    /// Clones it into the new directory `directory` and checks out `revision`: a commit, or the start of its name, a branch or a tag. Gives the full name
    /// of the commit.
    ///
    /// - Parameter paths: only files that these patterns of git's mean, none of which is a link; `nil`: all that there is.
    ///
    /// All branches and tags are fetched and nothing else, so that a commit counts only when one of them contains it: servers also keep commits that
    /// anybody has proposed. Throws `.sourceNotUsable` for a revision that there is not, `.sourceUnreachable` (transient) when the repository does not
    /// answer, `.limitExceeded` when it is too large or too slow.
    func checkOut(_ revision: String, only paths: Paths? = nil, into directory: FilePath) async throws -> String {
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
        guard let paths else {
            try await checkOut(commit: commit, in: directory)
            return commit
        }
        let files = try await files(of: commit, in: directory).filter { paths.mean($0.path) }
        for file in files where !["100644", "100755"].contains(file.mode) {
            throw ComposeFailure(.sourceNotUsable, "\(opening) cannot be used: \(file.path) is no file, but a link or a module of git's.")
        }
        let bytes = files.map(\.size).reduce(0, +)
        guard files.count <= paths.most, bytes <= paths.bytes else {
            throw ComposeFailure(
                .limitExceeded,
                "\(opening) has \(files.count) documents of \(bytes) bytes in all; \(paths.most) of \(paths.bytes) bytes are possible.")
        }
        if !files.isEmpty { try await checkOut(commit: commit, paths: files.map(\.path), in: directory) }
        return commit
    }

    /// Which files of a repository are wanted, and how much of them.
    struct Paths: Sendable {
        /// The folders that count, "" for the topmost, and not those inside of them.
        let folders: [String]
        let suffixes: [String]
        let most: Int
        let bytes: Int

        func mean(_ path: String) -> Bool {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            return folders.contains(folder) && suffixes.contains { path.hasSuffix($0) }
        }
    }

    private struct File {
        let mode: String
        let size: Int
        let path: String
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

    /// All files of a commit.
    private func files(of commit: String, in directory: FilePath) async throws -> [File] {
        let listing = Mutex<[UInt8]>([])
        let ending = try await run(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], in: directory) { bytes in
            listing.withLock { if $0.count < Self.longestListing { $0 += bytes } }
        }
        let bytes = listing.withLock { $0 }
        guard ending == .exited(0), bytes.count < Self.longestListing else {
            throw ComposeFailure(.limitExceeded, "\(opening) has more files than can be listed.")
        }
        return bytes.split(separator: 0).compactMap { entry in
            // MODE TYPE NAME SIZE, a tab and the path.
            let parts = entry.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
            let words = parts[0].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 2, words.count == 4 else { return nil }
            return File(mode: words[0], size: Int(words[3]) ?? 0, path: String(decoding: parts[1], as: UTF8.self))
        }
    }

    /// Bytes of what git says of a commit's files.
    private static let longestListing = 64 << 20

    private func checkOut(commit: String, paths: [String]? = nil, in directory: FilePath) async throws {
        let what = paths.map { ["restore", "--quiet", "--source=\(commit)", "--worktree", "--"] + $0.map { ":(top,literal)\($0)" } }
        let (ending, output) = try await run(what ?? ["checkout", "--quiet", "--detach", "--force", commit], in: directory)
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
        let ending = try await run(arguments, in: directory) { output.append($0) }
        output.finish()
        return (ending, output)
    }

    private func run(
        _ arguments: [String], in directory: FilePath, output: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> ChildProcess.Ending {
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
            return try await child.run(output: output)
        } catch is ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal, "\(opening) cannot be fetched: git cannot be started by this worker. Its administrators can help.")
        }
    }
}
