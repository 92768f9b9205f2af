import ComposeStore
import ImageModel
import Logging
import Registry
import Synchronization

/// A *base watch* looks at the tag of an image that images build on and that this service does not
/// build. So a plan of a rebuild knows which packages come with it.
struct BaseWatch: Sendable {
    let store: ComposeStore
    let registry: RegistryClient
    /// The registries that images may be based on. No request goes to any other. Nil for all.
    let allowedRegistries: Set<RegistryHost>?
    let logger: Logger
    private let memory = ManifestMemory()

    init(store: ComposeStore, registry: RegistryClient, allowedRegistries: Set<RegistryHost>?, logger: Logger) {
        self.store = store
        self.registry = registry
        self.allowedRegistries = allowedRegistries
        self.logger = logger
    }

    /// Records the manifests that a base shows for some platforms. If the base has not moved, this takes
    /// one request, which no registry counts as a pull.
    func look(at base: ImageReference, for platforms: Set<Platform>) async throws {
        if let allowedRegistries, !allowedRegistries.contains(base.repository.host) { return }
        do {
            let manifests = try await manifests(of: base)
            try await store.record(base, shows: manifests.filter { platforms.contains($0.key) })
        } catch let failure as RegistryFailure where failure.code != .canceled {
            logger.warning("could not look at a base", metadata: ["image": "\(base)", "reason": "\(failure)"])
        } catch let problem as ImageProblem {
            logger.warning("could not look at a base", metadata: ["image": "\(base)", "reason": "\(problem)"])
        }
    }

    /// Returns nothing if the registry does not have the base.
    private func manifests(of base: ImageReference) async throws -> [Platform: ImageDigest] {
        guard let digest = try await registry.reportedDigest(of: base) else {
            logger.info("a base is not in its registry", metadata: ["image": "\(base)"])
            return [:]
        }
        if let known = memory.manifests(of: ImageReference(base.repository, digest: digest)) { return known }
        let document = try await registry.manifest(base)
        let manifests = try await registry.manifests(of: document, in: base.repository)
        memory.note(manifests, of: ImageReference(base.repository, digest: document.digest))
        return manifests
    }
}

/// The manifests that documents name. A document never changes.
private final class ManifestMemory: Sendable {
    private static let most = 1000
    private let state = Mutex<[ImageReference: [Platform: ImageDigest]]>([:])

    func manifests(of document: ImageReference) -> [Platform: ImageDigest]? { state.withLock { $0[document] } }

    func note(_ manifests: [Platform: ImageDigest], of document: ImageReference) {
        state.withLock { state in
            if state.count >= Self.most, let any = state.keys.first { state[any] = nil }
            state[document] = manifests
        }
    }
}
