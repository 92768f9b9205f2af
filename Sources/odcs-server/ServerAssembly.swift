import ComposeFrontend
import ComposeModel
import ComposeStore
import ComposeWorker
import ContentSources
import Depsolve
import Foundation
import HTTPEnvironment
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Postgres
import Repodata
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// Puts the services together as a configuration says, and runs them until a signal ends them.
struct ServerAssembly {
    /// Which parts of the service a process is.
    enum Role {
        case frontend, worker
    }

    let configuration: ServerConfiguration
    let roles: Set<Role>
    /// Where the address that the frontend listens on is written once it can be used.
    let addressFile: FilePath?
    let logger: Logger

    func run() async throws {
        CreationMask.letOthersRead()
        // Before anything is opened: a process that runs out of files fails in odd places.
        let connections = try OpenFiles(configuration, roles: roles).connections(logger: logger)
        // A frontend reads no packages and writes no trees.
        if roles.contains(.worker) { try HostCheck(configuration: configuration).report(to: logger) }
        let database = try await Database.open(configuration, logger: logger)
        do {
            if configuration.database.url != nil { HostCheck.log(try await HostCheck.clock(of: database.pool), to: logger) }
            try await run(on: database, connections: connections)
        } catch {
            await database.close(logger: logger)
            throw error
        }
        await database.close(logger: logger)
    }

    /// - Parameter connections: How many clients may be connected at the same time.
    private func run(on database: Database, connections: Int) async throws {
        for target in configuration.composes.targets.values {
            try FileManager.default.createDirectory(atPath: target.directory.string, withIntermediateDirectories: true)
        }
        let access = try SourceAccess(
            allowedRoots: configuration.sources.allowedRoots, allowedURLPrefixes: configuration.sources.allowedURLs)
        let limits = SourceLimits(
            metadataBytes: configuration.sources.maxMetadataBytes, metadataOpenBytes: configuration.sources.maxOpenMetadataBytes,
            packageBytes: configuration.sources.maxPackageBytes, downloadTime: .seconds(configuration.sources.downloadSeconds),
            cacheBytes: configuration.sources.cacheBytes)
        let clients = try WorkerClients(configuration.sources, limits: limits)
        for problem in HTTPEnvironment.process.problems {
            logger.warning("a variable of the environment cannot be used", metadata: ["problem": "\(problem)"])
        }
        let listener = PostgresListener(
            configuration: database.pool.configuration, channels: [configuration.database.schema], logger: logger)
        let store = ComposeStore(pool: database.pool)
        let targets = try await TargetDirectoryCheck(store: store, isAlone: roles == [.frontend, .worker], logger: logger)
            .shared(configuration.composes.targets)
        if roles.contains(.frontend) { try await store.say(configuration.offer) }
        let publicURL = PublicURL(configuration.frontend.publicURL)

        // In the order in which they start. The shutdown goes the other way: the database is there for the others' last words.
        var services: [any Service] = [database.pool]
        // A frontend alone has nobody who would hear what it listens to.
        if roles.contains(.worker) { services.append(listener) }
        if roles.contains(.frontend) {
            services.append(frontend(store: store, access: access, publicURL: publicURL, connections: connections))
        }
        if roles.contains(.worker) {
            services.append(
                WorkerServices(
                    configuration: configuration, store: store, listener: listener, access: access, targets: targets, limits: limits,
                    clients: clients, publicURL: publicURL, logger: logger))
        }
        // One that fails ends the others in their order as well: a frontend that is merely canceled would leave connections that it has
        // accepted to nobody, for which NIO ends the process.
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // A client that never ends its request must not keep the process.
        group.maximumGracefulShutdownDuration = .seconds(15)
        let outcome = await Result { try await ServiceGroup(configuration: group).run() }
        try await clients.shutdown()
        do {
            try outcome.get()
        } catch let error as IOError where [EADDRINUSE, EADDRNOTAVAIL, EACCES].contains(error.errnoCode) {
            throw CannotListen(
                address: "\(configuration.frontend.host):\(configuration.frontend.port)", reason: Errno(rawValue: error.errnoCode))
        }
    }

    /// The frontend's address cannot be had.
    struct CannotListen: Error, CustomStringConvertible {
        let address: String
        let reason: Errno

        var description: String {
            "Cannot listen on \(address): \(reason). Another address can be given by frontend.host and frontend.port in the configuration file; "
                + "port 0 takes one that is free."
        }
    }

    private func frontend(store: ComposeStore, access: SourceAccess, publicURL: PublicURL, connections: Int) -> some Service {
        let targets = configuration.composes.targets.map { name, target in
            (name, FrontendConfiguration.TargetDirectory(path: target.directory, url: target.url ?? Self.path(ofTarget: name)))
        }
        let rawConfigs = (configuration.pungi?.rawConfigs ?? [:]).mapValues { config in
            ["url": Self.withoutPassword(config.url), "config_filename": config.configFilename]
        }
        let limits = RequestLimits(
            defaultArches: configuration.composes.arches, defaultSecondsToLive: configuration.composes.secondsToLive,
            maximumSecondsToLive: configuration.composes.maxSecondsToLive,
            refusedSourceTypes: configuration.refusedSourceTypes,
            allowedResults: [.repository, .iso], allowedArches: DepsolveRequest.knownArches,
            repeatWindow: configuration.frontend.repeatSeconds == 0 ? nil : configuration.frontend.repeatSeconds,
            allowsReference: configuration.kojiRules.allowReference, unsignedWaitSeconds: configuration.kojiRules.unsignedWaitSeconds,
            baseModules: configuration.modules.baseModules)
        let frontend = ComposeFrontend(
            configuration: FrontendConfiguration(
                serverURL: configuration.frontend.publicURL ?? "", targets: Dictionary(uniqueKeysWithValues: targets), limits: limits,
                rawConfigURLs: rawConfigs, version: Version.current,
                callers: CallerLimits(
                    waitingComposes: configuration.frontend.waitingPerCaller, watches: configuration.frontend.watchesPerCaller,
                    trustedProxies: Set(configuration.frontend.trustedProxies)),
                maximumConnections: connections, requestSeconds: configuration.frontend.requestSeconds,
                checkSource: { request throws(ComposeFailure) in
                    try configuration.check(request, access: access, publicURL: publicURL.current)
                }),
            store: store, logger: logger)
        let address = BindAddress.hostname(configuration.frontend.host, port: configuration.frontend.port)
        return frontend.application(address: address) { bound in
            guard let host = bound?.ipAddress, let port = bound?.port else { return }
            let url = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
            logger.notice("listening", metadata: ["address": "\(url)"])
            publicURL.listening(at: url)
            guard let addressFile else { return }
            do {
                try Data("\(url)\n".utf8).write(to: URL(filePath: addressFile.string), options: .atomic)
            } catch {
                logger.error("could not write the address file", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func withoutPassword(_ url: String) -> String {
        // A path of this host is nobody else's affair.
        guard var parts = URLComponents(string: url), let scheme = parts.scheme, scheme != "file" else { return "" }
        (parts.user, parts.password) = (nil, nil)
        return parts.string ?? ""
    }

    /// The path at which the frontend serves a target directory that no other server does.
    static func path(ofTarget name: String) -> String {
        name == "default" ? "/composes" : "/composes-\(name)"
    }
}

extension SourceAccess {
    /// The same access, and besides to the service's own finished composes by the addresses at which they are served.
    func publishing(_ targets: [String: ServerConfiguration.Target], publicURL: String?) throws(ComposeFailure) -> SourceAccess {
        var access = self
        do {
            for (name, target) in targets {
                if let url = target.url {
                    access = try access.publishing(target.directory, at: url)
                } else {
                    for base in Self.names(of: publicURL) {
                        access = try access.publishing(target.directory, at: base + ServerAssembly.path(ofTarget: name))
                    }
                }
            }
        } catch {
            throw ComposeFailure(.internal, error.description)
        }
        return access
    }

    /// The address by which clients reach the service, and, where it listens on this host alone, `localhost`, by which they do as well.
    private static func names(of publicURL: String?) -> [String] {
        guard let publicURL else { return [] }
        guard var parts = URLComponents(string: publicURL), parts.host == "127.0.0.1" || parts.host == "[::1]" else { return [publicURL] }
        parts.host = "localhost"
        return [publicURL] + (parts.string.map { [$0] } ?? [])
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous body returns or throws.
    init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
