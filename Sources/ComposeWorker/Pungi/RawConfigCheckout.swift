import ComposeModel
import SystemPackage

/// A Pungi configuration at one commit, on this host.
struct RawConfigCheckout: Hashable, Sendable {
    let pin: RawConfigPin
    /// The work tree.
    let directory: FilePath
}

/// A raw config fetcher fetches Pungi configurations with git. It ignores the git configuration of this
/// host's users.
struct RawConfigFetcher: Sendable {
    let configuration: PungiConfiguration
    let log: ComposeLog

    /// Fetches the configuration that `source` means now. `source` is the NAME#COMMIT of a request.
    func checkOut(_ source: String, into directory: FilePath) async throws -> RawConfigCheckout {
        let parts = source.split(separator: "#", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw ComposeFailure(.sourceNotUsable, "\(source) is not NAME#COMMIT of a Pungi configuration.")
        }
        let fixed = configuration.rawConfigs[parts[0]]?.commit
        return try await checkOut(parts[0], at: fixed ?? parts[1], into: directory)
    }

    /// Fetches a configuration that was pinned earlier.
    func checkOut(_ pin: RawConfigPin, into directory: FilePath) async throws -> RawConfigCheckout {
        try await checkOut(pin.name, at: pin.commit, into: directory)
    }

    /// Clones the repository of the configuration `name` into the new directory `directory`, and checks out
    /// `revision`.
    ///
    /// Throws the errors of ``GitRepository/checkOut(_:only:into:)``. Throws `.sourceNotUsable` if there is
    /// no configuration `name`.
    private func checkOut(_ name: String, at revision: String, into directory: FilePath) async throws -> RawConfigCheckout {
        guard let config = configuration.rawConfigs[name] else {
            let known = configuration.rawConfigs.keys.sorted().joined(separator: ", ")
            throw ComposeFailure(
                .sourceNotUsable,
                "There is no Pungi configuration called \(name); \(known.isEmpty ? "this worker has none" : "there are \(known)").")
        }
        let git = GitRepository(
            name: "the Pungi configuration \(name)", url: config.url, hidden: configuration.hidden(name) + [(directory.string, name)],
            environment: configuration.environment, sizeLimit: configuration.fetchLimit, timeLimit: configuration.fetchTimeLimit,
            log: { log.write(.error, $0) })
        let commit = try await git.checkOut(revision, into: directory)
        log.write(.info, "Pinned the Pungi configuration \(name)#\(revision) at the commit \(commit).")
        return RawConfigCheckout(pin: RawConfigPin(name: name, commit: commit), directory: directory)
    }
}
