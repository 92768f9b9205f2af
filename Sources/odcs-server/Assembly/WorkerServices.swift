import ComposeStore
import ComposeWorker
import Compression
import ContentSources
import Deliveries
import Depsolve
import Foundation
import Koji
import Logging
import NIOPosix
import Postgres
import Registry
import Repodata
import ServiceConfiguration
import ServiceLifecycle
import SystemPackage
import Traces

/// All services of a worker. They start when the address at which composes are served is known.
struct WorkerServices: Service {
    let configuration: ServerConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let presence: WorkerPresence?
    let access: SourceAccess
    /// The names of the target directories that are shared with the rest of the service.
    let targets: Set<String>
    let limits: SourceLimits
    let clients: WorkerClients
    /// The client of registries. `nil` if no images are built.
    let registry: RegistryClient?
    let publicURL: PublicURL
    let logger: Logger

    func run() async throws {
        let admission = configuration.admission(access: access, publicURL: publicURL)
        let publicURL = try await publicURL.known()
        var worker = workerConfiguration(publicURL: publicURL)
        for name in targets { worker.targets[name]?.identity = try await store.identity(ofTarget: name) }
        if let offer = try await store.serviceOffer() {
            for sentence in configuration.lacks(of: offer, access: access) {
                logger.warning("this worker is configured otherwise than the frontend", metadata: ["finding": "\(sentence)"])
            }
        }
        var access = try access.publishing(configuration.composes.targets, publicURL: publicURL)
        if let koji = configuration.koji, let topurl = koji.topurl {
            // A compose can refer to its packages at Koji's topurl. A later compose that is made from it takes the
            // packages from there.
            access = try access.followingReferences(to: topurl, in: koji.topdir)
        }
        // The thread pool is separate, so that writing a large compose never prevents the frontend of the same
        // process from reading files.
        let threadPool = NIOThreadPool(numberOfThreads: Self.threads(slots: worker.slots))
        threadPool.start()
        let channel = configuration.database.schema
        let source = RepositorySource(
            access: access, limits: limits, cacheDirectory: configuration.sources.cacheDirectory, httpClient: clients.sources,
            threadPool: threadPool, logger: logger)
        let modules = ModuleSources(
            service: try configuration.modules.service.map { try ModuleBuildService($0, httpClient: clients.services, logger: logger) },
            kojiTags: configuration.modules.kojiTags, repositories: configuration.modules.repositories,
            baseModules: configuration.modules.baseModules)
        var sources = ComposeSources(repositories: source, modules: modules)
        try configuration.addSystems(to: &sources, httpClient: clients.services, threadPool: threadPool, logger: logger)
        // Nothing between here and the services throws, because the hub has to be shut down.
        let koji = try kojiSource(cacheDirectory: configuration.sources.cacheDirectory, threadPool: threadPool)
        if let koji { sources.add(koji.source, store: store) }
        let upkeep = RepositoryUpkeep(source: source, logger: logger)
        let pipeline = ComposePipeline(
            configuration: worker, store: store, sources: sources,
            depsolver: Depsolver(
                poolMemoryLimit: configuration.worker.poolMegabytes << 20, timeLimit: .seconds(configuration.worker.resolveSeconds),
                logger: logger),
            delivery: PackageDelivery(
                access: access, limits: limits, httpClient: clients.sources, threadPool: threadPool, logger: logger,
                verify: configuration.sources.verifyPackages),
            kojiDelivery: koji?.delivery, threadPool: threadPool, composed: upkeep.note)
        var services: [any Service] = [
            EventDelivery(
                store: store, listener: listener, channel: channel, presence: presence, pollInterval: worker.pollInterval,
                log: EventLog(logger: logger),
                receivers: configuration.events.webhooks.map { WebhookReceiver($0, client: clients.services) },
                targetURL: { [targets = worker.targets] in targets[$0]?.url ?? "" }, logger: logger),
            TokenAnnouncer(store: store, configuration: worker, logger: logger),
            Reaper(store: store, configuration: worker, logger: logger),
            Expirer(store: store, configuration: worker, threadPool: threadPool, logger: logger),
            Sweeper(store: store, configuration: worker, source: source, threadPool: threadPool, logger: logger),
            WorkerLoop(
                configuration: worker, store: store, listener: listener, channel: channel, pipeline: pipeline,
                refusal: { [configuration, targets] request in
                    configuration.refusal(of: request, targets: targets, admission: admission)
                }, logger: logger),
            QuestionAnswerer(
                configuration: worker, store: store, listener: listener, channel: channel, pipeline: pipeline,
                refusal: { [configuration, targets] request in
                    configuration.refusal(of: request, targets: targets, admission: admission)
                }, logger: logger),
            upkeep,
        ]
        if koji != nil {
            services.append(
                TagWatcher(configuration: worker, store: store, listener: listener, channel: channel, pipeline: pipeline, logger: logger))
        }
        if let registry, let namespace = configuration.images.registry, configuration.images.isBuildingHere {
            services.append(
                ImageServices(
                    configuration: configuration, namespace: namespace, worker: worker, store: store, listener: listener,
                    registry: registry, logger: logger))
        }
        let group = ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: logger))
        let outcome = await Result { try await group.run() }
        try await koji?.hub.shutdown()
        try await threadPool.shutdownGracefully()
        try outcome.get()
    }

    /// Returns the parts that read Koji. They have an access of their own, because no request can name the
    /// files that they read.
    private func kojiSource(
        cacheDirectory: FilePath, threadPool: NIOThreadPool
    ) throws -> (hub: KojiHub, source: KojiSource, delivery: PackageDelivery)? {
        guard let profile = configuration.koji else { return nil }
        let location = try RepositoryLocation(profile.topdir?.string ?? profile.topurl ?? "")
        let access = try SourceAccess(
            allowedRoots: profile.topdir.map { [$0] } ?? [], allowedURLPrefixes: profile.topdir == nil ? [location.description] : []
        ).followingVolumes
        let hub = try KojiHub(profile, limits: configuration.kojiLimits, logger: logger)
        let files = KojiPackageSource(
            location: location, access: access, limits: limits, cacheDirectory: cacheDirectory,
            headerDirectory: cacheDirectory.appending("headers"), httpClient: clients.sources, threadPool: threadPool, logger: logger)
        let delivery = PackageDelivery(
            access: access, limits: limits, httpClient: clients.sources, threadPool: threadPool, logger: logger,
            verify: configuration.sources.verifyPackages)
        let source = KojiSource(
            hub: hub, files: files, isRemote: profile.topdir == nil,
            referringTo: configuration.kojiRules.allowReference ? profile.topurl : nil, keepsListings: limits.keepsLayers, logger: logger)
        return (hub, source, delivery)
    }

    /// Returns the number of threads. It is enough for each slot to link packages in parallel, and for the
    /// cleanup at the same time.
    private static func threads(slots: Int) -> Int { 2 * slots + 2 }

    private func workerConfiguration(publicURL: String?) -> WorkerConfiguration {
        var worker = WorkerConfiguration(
            name: configuration.worker.name, slots: configuration.worker.slots,
            targets: Dictionary(
                uniqueKeysWithValues: configuration.composes.targets.filter { targets.contains($0.key) }.map { name, target in
                    // Without a public URL, each target has an address of its own. The command `worker` has checked that.
                    let url = target.url ?? (publicURL ?? "") + ConfigurationReader.path(ofTarget: name)
                    return (name, .init(directory: target.directory, url: url))
                }))
        worker.presence = presence
        worker.traceLink = configuration.tracing.link
        worker.leaseLength = .seconds(configuration.worker.leaseSeconds)
        worker.metadataRetention = .seconds(configuration.sources.keepMetadataDays * 86_400)
        worker.tokenWarning = configuration.tokenWarning
        worker.eventRetention = .seconds(configuration.events.keepDays * 86_400)
        worker.auditRetention = .seconds(configuration.auditKeepDays * 86_400)
        worker.retries = RetryPolicy(
            attempts: configuration.worker.attempts, firstDelay: .seconds(configuration.worker.retrySeconds),
            signatureDelay: .seconds(configuration.kojiRules.unsignedRetrySeconds))
        worker.composeLimit = .seconds(configuration.worker.composeSeconds)
        worker.expireInterval = .seconds(configuration.worker.expireSeconds)
        worker.watchInterval = .seconds(configuration.kojiWatchSeconds)
        worker.compression = configuration.composes.zstd ? .zstd : .gzip
        worker.gpgcheck = configuration.composes.gpgcheck
        worker.signer = configuration.signing.map { RepomdSigner(key: $0.key, home: $0.home) }
        return worker
    }
}
