import BackgroundWork
public import ComposeStore
import ComposeWorker
public import ImageModel
public import Logging
import Rebuilds
public import Registry
import Retries
public import ServiceLifecycle

/// A *contents watcher* knows what is in the images, also if others push them. It regularly looks at a
/// tag of each image, and at the images of others that they build on. It reads the contents of new
/// manifests.
///
/// Every worker has a contents watcher. The first one that finds a round due takes it. A round in which
/// no tag has moved takes one request for each image and each base.
public struct ContentsWatcher: Service {
    let store: ComposeStore
    let registry: RegistryClient
    let reader: any ContentsReading
    let interval: Duration
    let pollInterval: Duration
    let logger: Logger
    private let bases: BaseWatch

    /// The images that are looked at, and the manifests that are read, at the same time.
    private static let concurrency = 4
    private static let batch = 100
    /// The longest time for the contents of one manifest.
    private static let readingTime = Duration.seconds(1800)
    /// The time after which unreadable contents are read again.
    private static let retry = Duration.seconds(86_400)

    /// - Parameters:
    ///   - allowedRegistries: The registries that images may be based on. Nil for all.
    ///   - interval: The time between two looks at a tag (`images.contents_seconds`).
    ///   - pollInterval: The time between two questions whether a round is due.
    public init(
        store: ComposeStore, registry: RegistryClient, reader: any ContentsReading, allowedRegistries: Set<RegistryHost>? = nil,
        every interval: Duration, pollInterval: Duration = .seconds(5), logger: Logger
    ) {
        self.store = store
        self.registry = registry
        self.reader = reader
        self.interval = interval
        self.pollInterval = pollInterval
        self.logger = logger
        bases = BaseWatch(store: store, registry: registry, allowedRegistries: allowedRegistries, logger: logger)
    }

    public func run() async throws {
        await periodically(every: min(interval, pollInterval)) {
            do {
                try await round()
            } catch is CancellationError {
                // The worker stops. The next round is for another one.
            } catch {
                logger.workFailed("could not look at images", error)
            }
        }
    }

    /// Looks at all images and reads unread contents, if that is due.
    ///
    /// - Returns: Whether it was due.
    @discardableResult
    func round() async throws -> Bool {
        guard let turn = try await store.takeLookTurn(for: interval) else { return false }
        var image = 0
        var platforms: [ImageReference: Set<Platform>] = [:]
        while case let looks = try await store.tagLooks(after: image, limit: Self.batch), let last = looks.last {
            image = last.image
            try await each(of: looks, look)
            platforms.merge(try await ForeignBases(of: Set(looks.map(\.image)), in: store).platforms) { $0.union($1) }
            guard try await store.keep(turn) else { return true }
            if looks.count < Self.batch { break }
        }
        if !platforms.isEmpty {
            try await each(of: Array(platforms)) { try await bases.look(at: $0.key, for: $0.value) }
            guard try await store.keep(turn) else { return true }
        }
        try await store.forgetBases(except: Set(platforms.keys))
        // A manifest that could not be read now is left for the next round.
        var tried: Set<UnreadManifest> = []
        while case let unread = try await store.unreadManifests(limit: tried.count + Self.concurrency, retryingAfter: Self.retry)
            .filter({ !tried.contains($0) }), !unread.isEmpty
        {
            tried.formUnion(unread)
            try await each(of: unread, read)
            guard try await store.keep(turn) else { return true }
        }
        return true
    }

    private func each<Item: Sendable>(of items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, item) in items.enumerated() {
                if number >= Self.concurrency { try await group.next() }
                group.addTask { try await body(item) }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Looks

    private func look(_ look: TagLook) async throws {
        let reference = ImageReference(look.repository, tag: look.tag)
        do {
            let digest = try await registry.reportedDigest(of: reference)
            if digest == look.digest, digest == nil || look.hasManifests { return }
            guard digest != nil else { return try await noteAbsence(look) }
            let document = try await registry.manifest(reference)
            let manifests = try await registry.manifests(of: document, in: look.repository)
            if try await store.record(look, digest: document.digest, manifests: manifests) {
                logger.info("an image is another one than before", metadata: ["image": "\(reference)", "digest": "\(document.digest)"])
            }
        } catch let failure as RegistryFailure where failure.code != .canceled {
            logger.warning("could not look at an image", metadata: ["image": "\(reference)", "reason": "\(failure)"])
        } catch let problem as ImageProblem {
            logger.warning("could not look at an image", metadata: ["image": "\(reference)", "reason": "\(problem)"])
        }
    }

    private func noteAbsence(_ look: TagLook) async throws {
        logger.info("an image is gone from its registry", metadata: ["image": "\(look.repository)", "tag": "\(look.tag)"])
        guard try await store.record(look, digest: nil, manifests: [:]), let digest = look.digest else { return }
        if try await registry.reportedDigest(of: ImageReference(look.repository, digest: digest)) == nil {
            try await store.recordRemoval(of: digest, image: look.image)
        }
    }

    // MARK: Contents

    private func read(_ manifest: UnreadManifest) async throws {
        let name = "\(manifest.repository)@\(manifest.digest)"
        do {
            guard let contents = try await contents(of: manifest) else {
                logger.warning("the contents of an image take too long to read", metadata: ["image": "\(name)"])
                return
            }
            try await store.record(contents)
            switch contents.state {
            case .read(let packages):
                logger.info("contents read", metadata: ["image": "\(name)", "packages": "\(packages.count)"])
            case .none: logger.info("an image has no rpmdb", metadata: ["image": "\(name)"])
            case .unknown(let problem): logger.warning("contents unknown", metadata: ["image": "\(name)", "reason": "\(problem)"])
            }
        } catch let failure as RegistryFailure where failure.code != .canceled {
            logger.warning("could not read contents", metadata: ["image": "\(name)", "reason": "\(failure)"])
        } catch let failure as CannotReadContents {
            logger.error("could not read contents", metadata: ["image": "\(name)", "reason": "\(failure)"])
        }
    }

    /// Returns nil if it takes too long.
    private func contents(of manifest: UnreadManifest) async throws -> Contents? {
        try await withThrowingTaskGroup(of: Contents?.self) { group in
            group.addTask {
                try await reader.contents(of: manifest.repository, digest: manifest.digest, platform: manifest.platform)
            }
            group.addTask {
                // This task is the clock of the other task, and is canceled when the other task ends.
                try await longSleep(for: Self.readingTime)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
