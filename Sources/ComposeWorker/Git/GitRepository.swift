import ComposeModel
import Foundation
import Glibc
import Processes
import Synchronization
public import SystemPackage
import TraceContext

/// A git repository that is fetched with the settings given here. It ignores the git configuration of
/// this host's users.
public struct GitRepository: Sendable {
    /// The name of the repository in messages. Example: `the Pungi configuration fedora`.
    let name: String
    let url: String
    /// Texts that must not be shown, each with its replacement.
    var hidden: [(text: String, by: String)] = []
    /// Environment variables that git gets in addition to its own.
    var environment: [String: String] = [:]
    /// Further settings of git, as KEY=VALUE. Example: `core.symlinks=false`.
    var settings: [String] = []
    /// The size of the largest file that git may write, in bytes. A fetch writes all its content to one
    /// file.
    let sizeLimit: Int
    /// The time limit of one git command.
    let timeLimit: Duration
    /// Receives what git prints if it fails.
    let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - hidden: Texts that must not be shown, each with its replacement.
    ///   - environment: Environment variables that git gets in addition to its own.
    ///   - settings: Further settings of git, as KEY=VALUE.
    ///   - log: Receives the lines that git prints if it fails.
    public init(
        name: String, url: String, hidden: [(text: String, by: String)] = [], environment: [String: String] = [:], settings: [String] = [],
        sizeLimit: Int, timeLimit: Duration, log: @escaping @Sendable (String) -> Void
    ) {
        self.name = name
        self.url = url
        self.hidden = hidden
        self.environment = environment
        self.settings = settings
        self.sizeLimit = sizeLimit
        self.timeLimit = timeLimit
        self.log = log
    }

    /// Clones the repository into the new directory `directory` and checks out `revision`. A revision is a
    /// commit, the start of a commit's name, a branch or a tag. Returns the full name of the commit.
    ///
    /// All branches and tags are fetched, and nothing else. So a commit counts only if one of them contains
    /// it. Servers also keep commits that anyone has proposed.
    ///
    /// - Parameter paths: Only files that match these paths are checked out. None of them may be a link.
    ///   `nil` means all files.
    ///
    /// Throws:
    ///
    /// - `.sourceNotUsable` if there is no such revision, or if a file that matches `paths` is a link.
    /// - `.sourceUnreachable` if the repository does not answer. It is transient, unless nothing is there.
    /// - `.limitExceeded` if the repository is too large or too slow, or if the files exceed the limits of
    ///   `paths`.
    public func checkOut(_ revision: String, only paths: Paths? = nil, into directory: FilePath) async throws -> String {
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

    /// The files of a repository that are wanted, with limits for their number and size.
    public struct Paths: Sendable {
        /// The folders whose files are wanted, without their subfolders. The empty text is the topmost folder.
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

    /// Returns whether `text` may stand for a commit. It is never an option, a range or another expression
    /// of git.
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
        for line in lines { log("git: \(line)") }
        let text = lines.joined(separator: "\n")
        // The command exceeded the limit that prlimit(1) sets. Either the command ended by the signal itself,
        // or git or the shell reports that signal.
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
        // Git says first what is wrong, and then what the reason may be in general.
        let reason = (lines.first { $0.hasPrefix("fatal: ") } ?? lines.last).map(Self.withoutPeriod)
        if let reason, Self.saysThatNothingIsThere(reason) {
            throw ComposeFailure(
                .sourceUnreachable, "\(opening) cannot be fetched: there is no git repository, or it needs a login.")
        }
        throw ComposeFailure(
            .sourceUnreachable,
            "The repository of \(name) could not be fetched: git \(ending.inWords)\(reason.map { ", and said: \($0)" } ?? "").",
            isTransient: true)
    }

    private static func withoutPeriod(_ line: String) -> String { line.hasSuffix(".") ? String(line.dropLast()) : line }

    /// Returns whether git has found no repository: that of a file, of HTTP, and of HTTP that asks for a
    /// login in place of an answer.
    private static func saysThatNothingIsThere(_ line: String) -> Bool {
        line.hasSuffix("does not appear to be a git repository") || (line.hasPrefix("fatal: repository ") && line.hasSuffix(" not found"))
            || line.contains("could not read Username")
    }

    /// Returns the full name of the commit that `revision` means, or `nil` if there is no such commit. A
    /// revision is a tag, a branch or the start of a commit's own name, in this order.
    private func commit(_ revision: String, in directory: FilePath) async throws -> String? {
        let isName = revision.utf8.count >= 4 && revision.allSatisfy { $0.isASCII && $0.isHexDigit }
        for candidate in ["refs/tags/\(revision)", "refs/remotes/origin/\(revision)"] + (isName ? [revision] : []) {
            let (ending, output) = try await run(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(candidate)^{commit}"], in: directory)
            if ending == .exited(0), let line = output.lastLines().last { return line }
        }
        return nil
    }

    /// Returns all files of a commit. Throws `.limitExceeded` if there are too many to list.
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
            // An entry is MODE TYPE NAME SIZE, a tab and the path.
            let parts = entry.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
            let words = parts[0].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 2, words.count == 4 else { return nil }
            return File(mode: words[0], size: Int(words[3]) ?? 0, path: String(decoding: parts[1], as: UTF8.self))
        }
    }

    /// The limit for git's list of a commit's files, in bytes.
    private static let longestListing = 64 << 20

    private func checkOut(commit: String, paths: [String]? = nil, in directory: FilePath) async throws {
        let what = paths.map { ["restore", "--quiet", "--source=\(commit)", "--worktree", "--"] + $0.map { ":(top,literal)\($0)" } }
        let (ending, output) = try await run(what ?? ["checkout", "--quiet", "--detach", "--force", commit], in: directory)
        guard ending != .exited(0) else { return }
        let lines = output.lastLines()
        for line in lines { log("git: \(line)") }
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
        // Git ignores it, and programs that it runs can continue the trace.
        variables["TRACEPARENT"] = TraceParent.current?.description
        variables.merge(environment) { $1 }
        let settings = (["core.hooksPath=/dev/null", "protocol.ext.allow=never"] + settings).flatMap { ["-c", $0] }
        let child = ChildProcess(
            program: "prlimit", arguments: ["--fsize=\(sizeLimit)", "git"] + settings + arguments, environment: variables,
            directory: directory, timeLimit: timeLimit)
        do {
            return try await child.run(output: output)
        } catch is ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal, "\(opening) cannot be fetched: git cannot be started by this worker. Its operator can help.")
        }
    }
}
