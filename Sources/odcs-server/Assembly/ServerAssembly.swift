import ComposeFrontend
import ComposeModel
import ComposeStore
import ComposeWorker
import ContentSources
import Deliveries
import Depsolve
import Foundation
import HTTPEnvironment
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Postgres
import Registry
import Repodata
import ServiceConfiguration
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// A server assembly creates the services from a configuration and runs them until a signal ends them.
struct ServerAssembly {
    /// A role is a part of the service that a process can have.
    enum Role {
        case frontend, worker
    }

    let configuration: ServerConfiguration
    let roles: Set<Role>
    /// The configuration file. `nil` if the process has none.
    let file: String?
    /// The file that the frontend's address is written to when the frontend accepts connections.
    let addressFile: FilePath?
    /// The service manager that expects messages. `nil` without one.
    let manager: ServiceManager?
    let logger: Logger

    func run() async throws {
        CreationMask.letOthersRead()
        let reloads = await Reloads(file: file, logger: logger)
        for finding in configuration.findings {
            logger.warning("a setting does not have the effect that it may be expected to have", metadata: ["finding": "\(finding)"])
        }
        // This check comes before the process opens anything. A process that runs out of files fails in odd
        // places.
        let connections = try OpenFiles(configuration, roles: roles).connections(logger: logger)
        // The host check is for workers only, because a frontend reads no packages and writes no trees.
        if roles.contains(.worker) { try HostCheck(configuration: configuration).report(to: logger) }
        let database = try await open()
        do {
            if configuration.database.url != nil { HostCheck.log(try await HostCheck.clock(of: database.pool), to: logger) }
            try await run(on: database, connections: connections, reloads: reloads)
        } catch {
            await database.close(logger: logger)
            throw error
        }
        await database.close(logger: logger)
    }

    /// Opens the database. A migration can take longer than a service manager usually waits.
    private func open() async throws -> Database {
        // A worker on its own ends before and after the others, so it must not stop their database.
        let part = roles.contains(.frontend) ? Database.Part.owner : .guest
        guard let manager else { return try await Database.open(configuration, as: part, logger: logger) }
        return try await manager.whileStarting("Preparing the database.") { [configuration, logger] in
            try await Database.open(configuration, as: part, logger: logger)
        }
    }

    /// - Parameter connections: The maximum number of clients that are connected at the same time.
    private func run(on database: Database, connections: Int, reloads: Reloads) async throws {
        let traces = TraceExport(configuration, logger: logger)
        for target in configuration.composes.targets.values {
            try FileManager.default.createDirectory(atPath: target.directory.string, withIntermediateDirectories: true)
        }
        let access = try SourceAccess(
            allowedRoots: configuration.sources.allowedRoots, allowedURLPrefixes: configuration.sources.allowedURLs)
        let limits = SourceLimits(
            metadataBytes: configuration.sources.maxMetadataBytes, metadataOpenBytes: configuration.sources.maxOpenMetadataBytes,
            packageBytes: configuration.sources.maxPackageBytes, downloadTime: .seconds(configuration.sources.downloadSeconds),
            cacheBytes: configuration.sources.cacheBytes, keepsLayers: configuration.sources.keepsLayers)
        let clients = try WorkerClients(configuration.sources, limits: limits)
        for problem in HTTPEnvironment.process.problems {
            logger.warning("a variable of the environment cannot be used", metadata: ["problem": "\(problem)"])
        }
        let takesTokens = roles.contains(.frontend) && configuration.auth.mechanisms.contains(.tokens)
        let tokenChannel = ComposeStore.tokenChannel(schema: configuration.database.schema)
        // A worker needs the channel of the schema alone, which is the first one of a frontend.
        let schema = configuration.database.schema
        let channels = roles.contains(.frontend) ? ComposeChanges.channels(schema: schema) : [schema]
        let presence = roles.contains(.worker) ? WorkerPresence() : nil
        let listener = PostgresListener(
            configuration: database.pool.configuration, channels: channels + (takesTokens ? [tokenChannel] : []), lock: presence?.key,
            logger: logger)
        let store = ComposeStore(pool: database.pool)
        let targets = try await TargetDirectoryCheck(store: store, isAlone: roles == [.frontend, .worker], logger: logger)
            .shared(configuration.composes.targets)
        try await settleLostFiles(in: targets, store: store)
        if roles.contains(.frontend) { try await store.say(configuration.offer) }
        let publicURL = PublicURL(configuration.frontend.publicURL, hasFrontend: roles.contains(.frontend))

        let images = configuration.images
        let registry = images.registry == nil ? nil : images.registryClient(logger: logger)

        // The services start in this order and shut down in the reverse order. The database is therefore
        // available for the last queries of the others.
        var services: [any Service] = [
            database.pool, listener, EventSequencer(store: store, listener: listener, channel: schema, logger: logger),
        ]
        if let exporter = traces.exporter { services.append(exporter) }
        if takesTokens { services.append(TokenChanges(store: store, listener: listener, channel: tokenChannel)) }
        var identities: IdentityProviders?
        if roles.contains(.frontend) {
            let providers = try IdentityProviders(configuration, logger: logger)
            identities = providers
            services += providers.services
            let feed = EventFeed(
                store: store, mostOpen: min(configuration.events.mostStreams, connections / 2),
                mostOpenPerCaller: configuration.events.mostStreamsPerCaller, logger: logger
            ) { [channel = configuration.database.schema] in listener.notifications(on: channel, where: \.mayBringEvents) }
            let questions = QuestionDesk(store: store, logger: logger) { [channel = configuration.database.schema] in
                listener.notifications(on: channel, where: QuestionDesk.concerns)
            }
            services += [feed, questions]
            let drain = ListenerDrain(logger: logger)
            services.append(
                try frontend(
                    identities: providers, drain: drain, store: store, feed: feed, questions: questions,
                    changes: ComposeChanges(listener: listener, schema: schema),
                    access: access, publicURL: publicURL, connections: connections,
                    images: registry.flatMap { images.service(registry: $0) },
                    readiness: readiness(of: store), traces: traces))
            services.append(drain)
        }
        if roles.contains(.worker) {
            services.append(
                WorkerServices(
                    configuration: configuration, store: store, listener: listener, presence: presence, access: access, targets: targets,
                    limits: limits, clients: clients, registry: registry, publicURL: publicURL, logger: logger))
        }
        services.append(reloads)
        if let manager { services.append(SignsOfLife(manager: manager, pool: database.pool, logger: logger)) }
        // A frontend is ready when it listens.
        if !roles.contains(.frontend) { manager?.notify("READY=1", "STATUS=Waiting for composes.") }
        // If a service fails, the others are shut down in order as well. If the frontend were only canceled,
        // connections that it has accepted would have no handler, and NIO would end the process.
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // A client that never ends its request must not prevent the process from ending.
        group.maximumGracefulShutdownDuration = .seconds(15)
        let outcome = await Result { try await ServiceGroup(configuration: group).run() }
        try await clients.shutdown()
        await registry?.shutdown()
        try await identities?.shutdown()
        do {
            try outcome.get()
        } catch let error as IOError where [EADDRINUSE, EADDRNOTAVAIL, EACCES].contains(error.errnoCode) {
            throw CannotListen(
                address: "\(configuration.frontend.host):\(configuration.frontend.port)", reason: Errno(rawValue: error.errnoCode))
        }
    }

    /// The error for an address that the frontend cannot listen on.
    struct CannotListen: Error, CustomStringConvertible {
        let address: String
        let reason: Errno

        var description: String {
            "Cannot listen on \(address): \(reason). Another address can be given by frontend.host and frontend.port in the configuration file; "
                + "port 0 takes one that is free."
        }
    }

    /// Makes sure that no new compose takes the directory of a compose that the database has lost, or shows
    /// files that are lost.
    private func settleLostFiles(in targets: Set<String>, store: ComposeStore) async throws {
        let directories = configuration.composes.targets.filter { targets.contains($0.key) }
            .mapValues { WorkerConfiguration.Target(directory: $0.directory, url: $0.url ?? "") }
        do {
            let lost = LostFiles(store: store, targets: directories, threadPool: .singleton, logger: logger)
            try await lost.skipUnknownNumbers()
            if roles.contains(.worker) { try await lost.removeLost() }
        } catch let error where error is CocoaError || error is Errno {
            // A frontend may lack the permission to read there, and a worker looks too.
            logger.warning("could not compare the target directories with the database", metadata: ["error": "\(error)"])
        }
    }

    private func frontend(
        identities: IdentityProviders, drain: ListenerDrain, store: ComposeStore, feed: EventFeed, questions: QuestionDesk,
        changes: ComposeChanges,
        access: SourceAccess,
        publicURL: PublicURL, connections: Int, images: ImageService?, readiness: Readiness, traces: TraceExport
    ) throws -> some Service {
        let targets = configuration.composes.targets.map { name, target in
            let url = target.url ?? ConfigurationReader.path(ofTarget: name)
            return (name, FrontendConfiguration.TargetDirectory(path: target.directory, url: url))
        }
        let rawConfigs = (configuration.systems.pungi?.rawConfigs ?? [:]).mapValues { config in
            ["url": Self.withoutPassword(config.url), "config_filename": config.configFilename]
        }
        let limits = RequestLimits(
            defaultArches: configuration.composes.arches, defaultSecondsToLive: configuration.composes.secondsToLive,
            maximumSecondsToLive: configuration.composes.maxSecondsToLive,
            allowedResults: [.repository, .iso], allowedArches: DepsolveRequest.knownArches,
            repeatWindow: configuration.frontend.repeatSeconds == 0 ? nil : configuration.frontend.repeatSeconds,
            unsignedWaitSeconds: configuration.kojiRules.unsignedWaitSeconds)
        let frontend = ComposeFrontend(
            configuration: FrontendConfiguration(
                serverURL: configuration.frontend.publicURL ?? "", targets: Dictionary(uniqueKeysWithValues: targets), limits: limits,
                admission: configuration.admission(access: access, publicURL: publicURL),
                access: try identities.accessControl(store: store),
                tokens: configuration.auth.mechanisms.contains(.tokens) ? configuration.auth.tokens : nil,
                rawConfigURLs: rawConfigs,
                version: Version.current,
                callers: CallerLimits(
                    waitingComposes: configuration.frontend.waitingPerCaller, watches: configuration.frontend.watchesPerCaller,
                    uploadMegabytes: configuration.frontend.uploadMegabytesPerCaller,
                    trustedProxies: Set(configuration.frontend.trustedProxies)),
                maximumConnections: connections, requestSeconds: configuration.frontend.requestSeconds, images: images,
                login: identities.login),
            store: store, feed: feed, questions: questions, changes: changes, readiness: readiness,
            moreMetrics: { traces.families }, logger: logger)
        let address = BindAddress.hostname(configuration.frontend.host, port: configuration.frontend.port)
        return frontend.application(address: address, tls: identities.tls, drain: drain) { bound in
            guard let host = bound?.ipAddress, let port = bound?.port else { return }
            let url = "\(identities.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
            logger.notice("listening", metadata: ["address": "\(url)"])
            publicURL.listening(at: url)
            manager?.notify("READY=1", "STATUS=Listening on \(url).")
            guard let addressFile else { return }
            do {
                try Data("\(url)\n".utf8).write(to: URL(filePath: addressFile.string), options: .atomic)
            } catch {
                logger.error("could not write the address file", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Returns the checks of `/readyz`. A worker writes the target directories, and a frontend alone may be
    /// unable to.
    private func readiness(of store: ComposeStore) -> Readiness {
        Readiness(
            store: store, written: roles.contains(.worker) ? configuration.composes.targets.mapValues(\.directory) : [:],
            marker: { try TargetMarker(in: $0).read() })
    }

    private static func withoutPassword(_ url: String) -> String {
        // A path of this host must not be published.
        guard var parts = URLComponents(string: url), let scheme = parts.scheme, scheme != "file" else { return "" }
        (parts.user, parts.password) = (nil, nil)
        return parts.string ?? ""
    }
}
