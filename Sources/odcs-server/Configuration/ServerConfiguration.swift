import ComposeModel
import ComposeWorker
import ContentSources
import Depsolve
import Foundation
import Koji
import Logging
import SystemPackage

/// Everything that an operator can set. config/odcs-server.yaml shows every key with its default and what it means.
struct ServerConfiguration: Hashable, Sendable {
    struct Database: Hashable, Sendable {
        /// `nil` for the embedded cluster, which lives in the state directory.
        var url: String?
        var schema: String
        var connections: Int
    }

    struct Frontend: Hashable, Sendable {
        var host: String
        var port: Int
        /// For how long the same request from the same known owner gives the first compose; 0: not at all.
        var repeatSeconds: Int
        /// Where clients reach the service, without a trailing slash; `nil`: the address that it listens on.
        var publicURL: String?
        /// How many composes of one caller may wait, and how many of its watches may stand; 0: any number.
        var waitingPerCaller: Int
        var watchesPerCaller: Int
        /// Addresses of proxies whose `X-Forwarded-For` tells the caller.
        var trustedProxies: [String]
        var maxConnections: Int
        /// How long the body of a request may take to arrive.
        var requestSeconds: Int
    }

    struct Target: Hashable, Sendable {
        var directory: FilePath
        /// Where it is served, if not by this service below `/composes`.
        var url: String?
    }

    struct Composes: Hashable, Sendable {
        var arches: [String]
        var secondsToLive: Int
        var maxSecondsToLive: Int
        var targets: [String: Target]
        var zstd: Bool
        var gpgcheck: Bool
    }

    struct Sources: Hashable, Sendable {
        var allowedRoots: [FilePath]
        var allowedURLs: [String]
        var cacheDirectory: FilePath
        var keepMetadataDays: Int
        var maxMetadataBytes: Int
        var maxOpenMetadataBytes: Int
        var maxPackageBytes: Int
        /// For one file.
        var downloadSeconds: Int
        /// Of all metadata that is kept.
        var cacheBytes: Int
        var verifyPackages: Bool
        /// A PEM file with the certificates that those of sources are checked against; `nil` for those of the environment or the system.
        var ca: FilePath?
        /// A TLS client certificate and its key, PEM files.
        var certificate: FilePath?
        var key: FilePath?
        /// The address of a proxy; `nil` for what the environment says.
        var proxy: String?
    }

    /// What requests may ask of Koji.
    struct KojiRules: Hashable, Sendable {
        var allowReference: Bool
        var unsignedWaitSeconds: Int
        var unsignedRetrySeconds: Int
    }

    /// Where modules come from, beside the tags that a request names.
    struct Modules: Hashable, Sendable {
        /// The Module Build Service, whose packages are in Koji; `nil`: there is none.
        var service: ModuleBuildServer?
        /// Tags of Koji.
        var kojiTags: [String]
        /// Where repositories with modules are; `$basearch` stands for each architecture.
        var repositories: [String]
        /// What every machine has and no compose contains.
        var baseModules: Set<String>
    }

    struct Worker: Hashable, Sendable {
        var name: String
        var slots: Int
        var leaseSeconds: Int
        var attempts: Int
        var retrySeconds: Int
        var expireSeconds: Int
        var poolMegabytes: Int
        /// For one attempt at a compose.
        var composeSeconds: Int
        /// For the packages of one architecture.
        var resolveSeconds: Int
    }

    struct Signing: Hashable, Sendable {
        var key: String
        var home: FilePath?
    }

    var stateDirectory: FilePath
    var database: Database
    var frontend: Frontend
    var composes: Composes
    var sources: Sources
    /// `nil` where no Koji is configured.
    var koji: KojiProfile?
    /// How often it is asked whether watched tags have changed.
    var kojiWatchSeconds: Int
    /// How patiently Koji's hub is asked.
    var kojiLimits: KojiLimits
    var kojiRules: KojiRules
    var modules: Modules
    /// `nil` where no Pulp is configured.
    var pulp: PulpServer?
    /// `nil` where this service does not run Pungi.
    var pungi: PungiConfiguration?
    var worker: Worker
    var signing: Signing?
    var webhooks: [String]
    var logLevel: Logger.Level

    /// The configuration that the file at `path` gives, or the defaults where none is named.
    ///
    /// - Throws: ``ConfigurationError``.
    static func load(_ path: String?) throws -> ServerConfiguration {
        guard let path else { return try ServerConfiguration("", file: "the defaults", directory: FilePath("/")) }
        let current = FilePath(FileManager.default.currentDirectoryPath)
        let file = current.pushing(FilePath(path))
        guard let bytes = FileManager.default.contents(atPath: file.string) else {
            throw ConfigurationError(file: path, line: nil, key: nil, message: "there is no such file, or it cannot be read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(file: path, line: nil, key: nil, message: "this is not UTF-8 text")
        }
        return try ServerConfiguration(text, file: path, directory: file.removingLastComponent())
    }

    /// - Parameter directory: What relative paths in the text are relative to.
    init(_ text: String, file: String, directory: FilePath) throws {
        var reader = try ConfigurationReader(text, file: file, directory: directory)
        try self.init(&reader)
        try reader.rejectUnknownKeys()
    }

    init(_ reader: inout ConfigurationReader) throws {
        stateDirectory = try reader.path("state_directory", default: "/var/lib/odcs")
        database = Database(
            url: try reader.optionalString("database.url"),
            schema: try reader.string("database.schema", default: "odcs"),
            connections: try reader.int("database.connections", default: 10, in: 2...1000))
        frontend = Frontend(
            host: try reader.host("frontend.host", default: "127.0.0.1"),
            port: try reader.int("frontend.port", default: 5005, in: 0...65535),
            repeatSeconds: try reader.int("frontend.repeat_seconds", default: 0, in: 0...86_400),
            publicURL: try reader.optionalBaseURL("frontend.public_url").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 },
            waitingPerCaller: try reader.int("frontend.waiting_per_caller", default: 2000, in: 0...1_000_000),
            watchesPerCaller: try reader.int("frontend.watches_per_caller", default: 500, in: 0...1_000_000),
            trustedProxies: try reader.addresses("frontend.trusted_proxies"),
            maxConnections: try reader.int("frontend.max_connections", default: 1000, in: 16...1_000_000),
            requestSeconds: try reader.int("frontend.request_seconds", default: 60, in: 1...86_400))
        var targets: [String: Target] = [:]
        for name in Set(try reader.names(below: "composes.targets")).union(["default"]) {
            targets[name] = Target(
                directory: try reader.path(
                    "composes.targets.\(name).directory",
                    default: name == "default" ? stateDirectory.appending("composes") : stateDirectory.appending("composes-\(name)")),
                url: try reader.optionalBaseURL("composes.targets.\(name).url"))
        }
        if frontend.listensEverywhere, frontend.publicURL == nil, targets.values.contains(where: { $0.url == nil }) {
            throw reader.mistake(
                "frontend.host",
                "is \(frontend.host), which stands for all addresses of this host; clients need one of them, and frontend.public_url must say it, "
                    + "for example http://odcs.example.org:\(frontend.port)")
        }
        composes = Composes(
            arches: try reader.strings("composes.arches", default: ["x86_64"]),
            secondsToLive: try reader.int("composes.seconds_to_live", default: 86_400, in: 1...Int(Int32.max)),
            maxSecondsToLive: try reader.int("composes.max_seconds_to_live", default: 259_200, in: 1...Int(Int32.max)),
            targets: targets,
            zstd: try reader.string("composes.compression", default: "gzip", allowed: ["gzip", "zstd"]) == "zstd",
            gpgcheck: try reader.bool("composes.gpgcheck", default: false))
        if let unknown = composes.arches.first(where: { !DepsolveRequest.knownArches.contains($0) }) {
            throw reader.mistake("composes.arches", "names an architecture that RPM does not know: \(unknown)")
        }
        if composes.secondsToLive > composes.maxSecondsToLive {
            throw reader.mistake(
                "composes.seconds_to_live", "must not be more than composes.max_seconds_to_live, \(composes.maxSecondsToLive)")
        }
        sources = Sources(
            allowedRoots: try reader.paths("sources.allowed_roots"),
            allowedURLs: try reader.urls("sources.allowed_urls"),
            cacheDirectory: try reader.path("sources.cache_directory", default: stateDirectory.appending("cache")),
            keepMetadataDays: try reader.int("sources.keep_metadata_days", default: 90, in: 1...100_000),
            maxMetadataBytes: try reader.int("sources.max_metadata_megabytes", default: 512, in: 1...100_000) << 20,
            maxOpenMetadataBytes: try reader.int("sources.max_open_metadata_megabytes", default: 8192, in: 1...1_000_000) << 20,
            maxPackageBytes: try reader.int("sources.max_package_megabytes", default: 8192, in: 1...1_000_000) << 20,
            downloadSeconds: try reader.int("sources.download_seconds", default: 3600, in: 1...604_800),
            cacheBytes: try reader.int("sources.cache_megabytes", default: 20_480, in: 1...100_000_000) << 20,
            verifyPackages: try reader.bool("sources.verify_packages", default: true),
            ca: try reader.optionalPath("sources.ca"), certificate: try reader.optionalPath("sources.certificate"),
            key: try reader.optionalPath("sources.key"), proxy: try reader.optionalString("sources.proxy"))
        try reader.checkWays(to: sources)
        koji = try reader.kojiProfile()
        kojiWatchSeconds = try reader.int("koji.watch_seconds", default: 30, in: 1...86_400)
        kojiLimits = KojiLimits(
            silence: .seconds(try reader.int("koji.timeout_seconds", default: 120, in: 1...86_400)),
            attempts: try reader.int("koji.attempts", default: KojiLimits().attempts, in: 1...100))
        kojiRules = try reader.kojiRules(of: koji)
        modules = try reader.modules(koji: koji, sources: sources)
        pulp = try reader.pulpServer()
        pungi = try reader.pungiConfiguration()
        worker = Worker(
            name: try reader.optionalString("worker.name") ?? Self.processName,
            slots: try reader.int("worker.slots", default: 2, in: 1...64),
            leaseSeconds: try reader.int("worker.lease_seconds", default: 15, in: 3...3600),
            attempts: try reader.int("worker.attempts", default: 3, in: 1...100),
            retrySeconds: try reader.int("worker.retry_seconds", default: 5, in: 1...3600),
            expireSeconds: try reader.int("worker.expire_seconds", default: 10, in: 1...3600),
            poolMegabytes: try reader.int("worker.pool_megabytes", default: 1024, in: 64...100_000),
            composeSeconds: try reader.int("worker.compose_seconds", default: 7200, in: 1...604_800),
            resolveSeconds: try reader.int("worker.resolve_seconds", default: 10, in: 1...86_400))
        let home = try reader.optionalString("signing.home").map { _ in try reader.path("signing.home", default: "") }
        signing = try reader.optionalString("signing.key").map { Signing(key: $0, home: home) }
        webhooks = try reader.urls("events.webhooks")
        let level = try reader.string("log.level", default: "info", allowed: Logger.Level.allCases.map(\.rawValue))
        logLevel = Logger.Level(rawValue: level) ?? .info
    }

    /// Host and process: no two workers have both.
    private static var processName: String {
        "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }
}
