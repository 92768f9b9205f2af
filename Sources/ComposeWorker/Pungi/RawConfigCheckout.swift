import ComposeModel
import Foundation
import Glibc
import SystemPackage

/// A Pungi configuration at one commit, on this host.
struct RawConfigCheckout: Hashable, Sendable {
    let pin: RawConfigPin
    /// The work tree.
    let directory: FilePath
}

/// Fetches configurations with git, as it is configured here and not as this host's users have configured it.
struct RawConfigFetcher: Sendable {
    let configuration: PungiConfiguration
    let log: ComposeLog

    /// Fetches what `source`, the NAME#COMMIT of a request, means now.
    func checkOut(_ source: String, into directory: FilePath) async throws -> RawConfigCheckout {
        let parts = source.split(separator: "#", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw ComposeFailure(.sourceNotUsable, "\(source) is not NAME#COMMIT of a Pungi configuration.")
        }
        let fixed = configuration.rawConfigs[parts[0]]?.commit
        return try await checkOut(parts[0], at: fixed ?? parts[1], into: directory)
    }

    /// Fetches what was pinned earlier.
    func checkOut(_ pin: RawConfigPin, into directory: FilePath) async throws -> RawConfigCheckout {
        try await checkOut(pin.name, at: pin.commit, into: directory)
    }

    /// Clones the repository of the configuration `name` into the new directory `directory` and checks out `revision`.
    ///
    /// All branches and tags are fetched and nothing else, so that a commit counts only when one of them contains it: servers also keep commits that
    /// anybody has proposed. Throws `.sourceNotUsable` for a name or revision that there is not, `.sourceUnreachable` (transient) when the repository
    /// does not answer, `.limitExceeded` when it is too large or too slow.
    private func checkOut(_ name: String, at revision: String, into directory: FilePath) async throws -> RawConfigCheckout {
        guard let config = configuration.rawConfigs[name] else {
            let known = configuration.rawConfigs.keys.sorted().joined(separator: ", ")
            throw ComposeFailure(
                .sourceNotUsable,
                "There is no Pungi configuration called \(name); \(known.isEmpty ? "this worker has none" : "there are \(known)").")
        }
        guard Self.isRevision(revision) else {
            throw ComposeFailure(
                .sourceNotUsable, "\"\(revision.prefix(100))\" is not a commit, a branch or a tag of the Pungi configuration \(name).")
        }
        let git = Git(fetcher: self, name: name, url: config.url, directory: directory)
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw ComposeFailure(storage: error)
        }
        try await git.clone()
        guard let commit = try await git.commit(revision) else {
            throw ComposeFailure(
                .sourceNotUsable,
                "The Pungi configuration \(name) has no commit, branch or tag \(revision). A commit has to be part of one of its branches or tags."
            )
        }
        try await git.checkOut(commit)
        log.write(.info, "Pinned the Pungi configuration \(name)#\(revision) at the commit \(commit).")
        return RawConfigCheckout(pin: RawConfigPin(name: name, commit: commit), directory: directory)
    }

    /// What may stand for a commit: never an option, a range or another of git's expressions.
    static func isRevision(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 200, !text.contains(".."), !text.contains("//"), !text.hasSuffix("/"),
            !text.hasSuffix(".lock"), !text.hasSuffix(".")
        else { return false }
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        return isLetterOrDigit(first) && text.utf8.allSatisfy { isLetterOrDigit($0) || "._-/+".utf8.contains($0) }
    }
}

/// git, for one repository.
private struct Git {
    let fetcher: RawConfigFetcher
    let name: String
    let url: String
    let directory: FilePath

    func clone() async throws {
        let (ending, output) = try await run([
            "clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--origin=origin", "--", url, ".",
        ])
        guard ending != .exited(0) else { return }
        let lines = output.lastLines()
        for line in lines { fetcher.log.write(.error, "git: \(line)") }
        let text = lines.joined(separator: "\n")
        // prlimit(1): the signal itself, or git's or the shell's word for it.
        if ending == .signaled(SIGXFSZ) || text.contains("File too large") || text.contains("died of signal \(SIGXFSZ)") {
            throw ComposeFailure(
                .limitExceeded,
                "The repository of the Pungi configuration \(name) is too large: more than \(fetcher.configuration.fetchLimit) bytes.")
        }
        if ending == .timeLimit {
            throw ComposeFailure(
                .limitExceeded,
                "Fetching the repository of the Pungi configuration \(name) took longer than \(fetcher.configuration.fetchTimeLimit.components.seconds) seconds.",
                isTransient: true)
        }
        if text.contains("No space left on device") { throw ComposeFailure(storage: Errno.noSpace) }
        throw ComposeFailure(
            .sourceUnreachable,
            "The repository of the Pungi configuration \(name) could not be fetched: git \(ending.inWords)\(lines.last.map { ", and said: \($0)" } ?? "").",
            isTransient: true)
    }

    /// The full name of the commit that `revision` means: a tag, a branch or the start of a commit's own name, in this order; `nil` for none of them.
    func commit(_ revision: String) async throws -> String? {
        let isName = revision.utf8.count >= 4 && revision.allSatisfy { $0.isASCII && $0.isHexDigit }
        for candidate in ["refs/tags/\(revision)", "refs/remotes/origin/\(revision)"] + (isName ? [revision] : []) {
            let (ending, output) = try await run(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(candidate)^{commit}"])
            if ending == .exited(0), let line = output.lastLines().last { return line }
        }
        return nil
    }

    func checkOut(_ commit: String) async throws {
        let (ending, output) = try await run(["checkout", "--quiet", "--detach", "--force", commit])
        guard ending != .exited(0) else { return }
        let lines = output.lastLines()
        for line in lines { fetcher.log.write(.error, "git: \(line)") }
        if lines.contains(where: { $0.contains("No space left on device") }) { throw ComposeFailure(storage: Errno.noSpace) }
        throw ComposeFailure(
            .sourceNotUsable,
            "The Pungi configuration \(name) could not be checked out at \(commit): git \(ending.inWords)\(lines.last.map { ", and said: \($0)" } ?? "")."
        )
    }

    private func run(_ arguments: [String]) async throws -> (ChildProcess.Ending, OutputTail) {
        let configuration = fetcher.configuration
        let output = OutputTail(hiding: configuration.hidden(name) + [(directory.string, name)])
        var environment = ChildProcess.plainEnvironment(home: directory)
        environment.merge([
            "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_OPTIONAL_LOCKS": "0",
            "LANG": "C",
        ]) { $1 }
        environment.merge(configuration.environment) { $1 }
        let child = ChildProcess(
            program: "prlimit",
            arguments: ["--fsize=\(configuration.fetchLimit)", "git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"]
                + arguments,
            environment: environment, directory: directory, timeLimit: configuration.fetchTimeLimit)
        do {
            let ending = try await child.run { output.append($0) }
            output.finish()
            return (ending, output)
        } catch is ChildProcess.CannotStart {
            throw ComposeFailure(
                .internal, "Pungi configurations cannot be fetched: git cannot be started by this worker. Its administrators can help.")
        }
    }
}
