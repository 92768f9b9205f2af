import BackgroundWork
public import ContentSources
import Depsolve
public import Logging
public import Repodata
public import ServiceLifecycle
import Synchronization

/// Repository upkeep is the work for repositories that change, after a compose is done. A layer with
/// many differences is written as whole metadata. Later revisions are compared with it, and have few
/// differences again.
///
/// It waits until a repository is quiet (``QuietLayers``). If revisions come faster, their composes
/// need the processor, and the disk would have a base for each few of them.
///
/// It is only for speed. If the service ends meanwhile, or if anything fails, the layer stays as it is.
public final class RepositoryUpkeep: Service {
    private let source: RepositorySource
    private let logger: Logger
    private let layers = Mutex(QuietLayers())

    public init(source: RepositorySource, logger: Logger) {
        self.source = source
        self.logger = logger
    }

    /// Notes that a compose was made from `repositories`. Returns at once.
    public func note(_ repositories: [RepositoryMetadata]) { layers.withLock { $0.note(repositories, at: .now) } }

    public func run() async {
        await periodically(every: QuietLayers.time / 2) { [self] in
            for layer in layers.withLock({ $0.take(at: .now) }) { await compact(layer) }
        }
    }

    private func compact(_ layer: RepositoryMetadata) async {
        let logger = logger
        let place = layer.place.name ?? ""
        do {
            let isWhole = try await source.compact(layer) { Depsolver.keepPackages(of: $0, logger: logger) }
            if isWhole { logger.info("A layer was written as whole metadata", metadata: ["repository": "\(place)"]) }
        } catch is CancellationError {
            return
        } catch {
            logger.warning(
                "A layer could not be written as whole metadata", metadata: ["repository": "\(place)", "error": "\(error)"])
        }
    }
}
