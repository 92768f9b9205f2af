import ComposeModel
public import ContentSources
import Modules
public import NIOPosix

/// The source type `pulp`: content sets of a Pulp. The compose has no packages. Its `.repo` file leads
/// to Pulp's own repositories.
struct PulpContentSource: ContentSource {
    let pulp: PulpSource
    let gpgcheck: Bool
    let threadPool: NIOThreadPool

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        if let pin = fixed?.pulp { return PinnedContentSets(pin: pin, source: self) }
        let request = attempt.request
        let findings = try await pulp.repositories(
            named: request.source, includeUnpublished: request.flags.contains(.includeUnpublishedPulpRepos))
        if let failure = findings.failure, !request.flags.contains(.ignoreAbsentPulpRepos) { throw failure }
        return PinnedContentSets(pin: PulpPin(repositories: findings.found, absent: findings.absent), source: self)
    }

    /// Content sets at one moment.
    private struct PinnedContentSets: PinnedSource {
        let pin: PulpPin
        let source: PulpContentSource

        var record: ComposePins { ComposePins(pulp: pin) }

        var lines: [String] {
            pin.repositories.map { "Pulp has \($0.id) at \($0.url)." }
                + pin.absent.map { "Pulp has nothing called \($0); it is left out." }
        }

        func words(of request: ComposeRequest) -> [String] { request.source.filter { !pin.absent.contains($0) } }

        func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) -> SourceContent {
            .tree(PulpTreeWriter(attempt: attempt, pin: pin, gpgcheck: source.gpgcheck, threadPool: source.threadPool))
        }
    }
}

extension ComposeSources {
    /// Adds the source type `pulp`.
    ///
    /// - Parameter gpgcheck: Whether the `.repo` files make clients check the packages' own signatures.
    public mutating func add(_ pulp: PulpSource, gpgcheck: Bool, threadPool: NIOThreadPool) {
        types[.pulp] = PulpContentSource(pulp: pulp, gpgcheck: gpgcheck, threadPool: threadPool)
    }
}
