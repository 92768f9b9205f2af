import BuildNodes
import ComposeStore
import ComposeWorker
import ContainerEngine
import Glibc
import ImageModel
import ImageWorker
import Logging
import Postgres
import Rebuilds
import Registry
import ServiceConfiguration
import ServiceLifecycle
import SystemPackage

/// The services of a worker that builds images. They start after the node was opened and tried.
struct ImageServices: Service {
    let configuration: ServerConfiguration
    let namespace: ImageNamespace
    /// The settings of the same worker for composes.
    let worker: WorkerConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let registry: RegistryClient
    let logger: Logger

    private var images: ServerConfiguration.Images { configuration.images }

    func run() async throws {
        let directory = try NodeDirectory.claim(below: configuration.stateDirectory.appending("images"), hasNode: images.slots > 0)
        defer { directory.release() }
        // Without slots of its own, the worker only has nodes of farms build.
        let account = images.slots > 0 || geteuid() == 0 ? try BuildAccount(named: images.account) : nil
        var node: LocalNode?
        if images.slots > 0, let account {
            node = try await LocalNode.open(
                directory.node, account: account, insecure: images.insecureRegistries, authFile: images.authFile, logger: logger)
        }
        let standing = NodeStanding(directory.disabled, logger: logger)
        let offer: StepOffer
        do {
            // On a busy host this takes minutes. Composes are made meanwhile.
            offer = try await cancelWhenGracefulShutdown { [node] in try await self.offer(of: node) }
        } catch is CancellationError where Task.isShuttingDownGracefully {
            return
        }
        let farms = connections(scratch: directory.transfers)
        let settings = try settings(contexts: directory.contexts, account: account)
        let reader = try ContentsReader(
            registry: registry, program: try HostCheck.databaseProgram, account: geteuid() == 0 ? account?.account : nil,
            scratch: directory.rpmdbs)
        let services: [any Service] = [
            NodeWatcher(
                worker: worker.name, offer: offer, slots: images.slots, store: store, connections: images.nodeSlots > 0 ? farms : nil,
                logger: logger),
            BuildSweeper(configuration: settings, store: store, node: node, logger: logger),
            StepLoop(
                configuration: steps(offer, in: directory.node, standing), store: store, listener: listener,
                channel: configuration.database.schema,
                runner: BuildStepRunner(
                    configuration: settings, store: store, node: node, standing: standing, farms: images.nodeSlots > 0 ? farms : nil,
                    registry: registry, reader: reader),
                logger: logger),
            ContentsWatcher(
                store: store, registry: registry, reader: reader, allowedRegistries: images.registries,
                every: .seconds(images.contentsSeconds), logger: logger),
            RebuildPlanning(
                store: store, plans: RebuildPlans(store: store, directories: worker.targets.mapValues(\.directory)), listener: listener,
                channel: configuration.database.schema, logger: logger),
            RuleFollower(
                store: store, plans: RebuildPlans(store: store, directories: worker.targets.mapValues(\.directory)), listener: listener,
                channel: configuration.database.schema, every: .seconds(images.contentsSeconds), logger: logger),
        ]
        try await ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: logger)).run()
    }

    /// Returns the platforms whose programs run on this host. Each is tried, because an emulator can be
    /// registered and not work.
    private func offer(of node: LocalNode?) async throws -> StepOffer {
        var offer = StepOffer(platforms: [], labels: images.labels)
        guard let node else {
            logger.notice("nodes of farms build images for this worker, which has none of its own")
            return offer
        }
        for platform in try ["linux/amd64", "linux/arm64"].map({ try Platform($0) }) {
            switch try await node.support(for: platform) {
            case .native: offer.platforms.append(platform)
            case .emulated:
                offer.platforms.append(platform)
                offer.emulated.append(platform)
            case .absent(let reason):
                logger.info("images of a platform are not built here", metadata: ["platform": "\(platform)", "reason": "\(reason)"])
            }
        }
        logger.notice("images are built here", metadata: ["platforms": "\(offer.platforms.map(\.description).joined(separator: " "))"])
        return offer
    }

    /// Returns the connections to the nodes of farms.
    private func connections(scratch: FilePath) -> EngineConnections {
        let credentials = images.authFile.map { CredentialFiles($0) }
        var settings = EngineNode.Settings(
            scratch: scratch,
            login: { repository in
                guard let login = try credentials?.login(for: repository) else { return nil }
                return EngineLogin(username: login.user, password: login.password)
            },
            upload: { file, target in try await ArchiveUpload(registry: registry).upload(file, to: target) })
        settings.insecure = Set(images.insecureRegistries)
        settings.leastFreeBytes = images.minimumFreeBytes / 2
        return EngineConnections(keys: images.nodeKeys, settings: settings)
    }

    private func settings(contexts: FilePath, account: BuildAccount?) throws -> ImageBuildConfiguration {
        var settings = ImageBuildConfiguration(workDirectory: contexts, targets: worker.targets, contexts: try namespace.contexts)
        settings.allowedRegistries = images.registries
        settings.account = account
        settings.allowsHostNetwork = images.allowsHostNetwork
        settings.limits = BuildLimits(
            time: .seconds(images.timeLimitSeconds), logBytes: images.logBytes, memoryBytes: images.memoryBytes,
            leastFreeBytes: images.minimumFreeBytes / 2)
        settings.contextBytes = images.contextBytes
        if let address = configuration.frontend.publicURL { settings.builder = address }
        settings.provenanceKey = try images.provenanceKey.map { try ProvenanceKey(file: $0.string) }
        settings.artifacts = images.artifacts
        return settings
    }

    /// The time of a step beyond the time of its build: to fetch the context, to push, and to read the
    /// contents.
    private static let timeBesideBuild = Duration.seconds(900)

    private func steps(_ offer: StepOffer, in storage: FilePath, _ standing: NodeStanding) -> StepConfiguration {
        var steps = StepConfiguration(
            name: worker.name, slots: images.slots, offer: offer)
        steps.presence = worker.presence
        steps.nodeSlots = images.nodeSlots
        steps.leaseLength = worker.leaseLength
        steps.retries = worker.retries
        steps.buildsOfRebuild = images.rebuildSlots
        steps.standing = standing
        steps.reserve = DiskReserve(of: storage, bytes: images.minimumFreeBytes)
        steps.limit = .seconds(images.timeLimitSeconds) + Self.timeBesideBuild
        return steps
    }
}
