import ComposeFrontend
import ComposeModel
import ComposeWorker
import ContentSources
import Deliveries
import Depsolve
import Foundation
import Koji
import ServiceConfiguration
import ServiceLog
import SystemPackage
import Traces

/// A server configuration is the set of all values that an operator can set. config/odcs-server.yaml
/// shows every key with its default and its meaning.
struct ServerConfiguration: Hashable, Sendable {
    struct Frontend: Hashable, Sendable {
        var host: String
        var port: Int
        /// Whether everyone may reach a service that asks for no credentials.
        var isOpenToAll: Bool
        /// The number of seconds in which an equal request of the same identified owner returns the first
        /// compose. 0 turns this off.
        var repeatSeconds: Int
        /// The address by which clients reach the service, without a trailing slash. `nil` means the address
        /// that it listens on.
        var publicURL: String?
        /// The maximum number of one caller's waiting composes, and of its active watches. 0 means no limit.
        var waitingPerCaller: Int
        var watchesPerCaller: Int
        /// The maximum number of megabytes that one caller may upload within 24 hours. 0 means no limit.
        var uploadMegabytesPerCaller: Int
        /// Addresses of proxies whose `X-Forwarded-For` names the caller.
        var trustedProxies: [String]
        var maxConnections: Int
        /// The time in which the body of a request has to arrive, in seconds.
        var requestSeconds: Int
        /// The provider of `auth.openid` at which people log in to the pages. `nil` if there is none.
        var login: String?
    }

    struct Target: Hashable, Sendable {
        var directory: FilePath
        /// The address at which the directory is served. `nil` means that this service serves it, at
        /// `/composes` for `default`.
        var url: String?
        /// The readers of the composes. `nil` if everyone may read them.
        var readers: Members?
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
        /// The maximum time for the download of one file, in seconds.
        var downloadSeconds: Int
        /// The maximum size of all metadata that is kept, in bytes.
        var cacheBytes: Int
        /// Whether a revision of a repository is kept as the differences to an older one.
        var keepsLayers: Bool
        var verifyPackages: Bool
        /// A PEM file with the certificate authorities to trust for sources. `nil` means those of the
        /// environment or of the system.
        var ca: FilePath?
        /// A TLS client certificate and its key, as PEM files.
        var certificate: FilePath?
        var key: FilePath?
        /// The address of a proxy. `nil` means the proxies of the environment.
        var proxy: String?
    }

    /// The rules for requests for composes from Koji.
    struct KojiRules: Hashable, Sendable {
        var allowReference: Bool
        var unsignedWaitSeconds: Int
        var unsignedRetrySeconds: Int
    }

    /// The sources of modules, besides the tags that a request names.
    struct Modules: Hashable, Sendable {
        /// The Module Build Service. The packages of its modules are in Koji. `nil` if it is not configured.
        var service: ModuleBuildServer?
        /// The tags of Koji that modules are tagged into.
        var kojiTags: [String]
        /// The locations of repositories with modules. `$basearch` stands for each architecture.
        var repositories: [String]
        /// The modules that every machine has. No compose contains them.
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
        /// The maximum time for one attempt at a compose, in seconds.
        var composeSeconds: Int
        /// The maximum time for resolving the packages of one architecture, in seconds.
        var resolveSeconds: Int
    }

    struct Signing: Hashable, Sendable {
        var key: String
        var home: FilePath?
    }

    var stateDirectory: FilePath
    var database: DatabaseSettings
    var auth: Auth
    var access: AccessRules
    var frontend: Frontend
    var composes: Composes
    var sources: Sources
    /// The profile of Koji. `nil` if no Koji is configured.
    var koji: KojiProfile?
    /// The interval, in seconds, at which Koji is asked whether watched tags have changed.
    var kojiWatchSeconds: Int
    /// The time limits and retries of calls to Koji's hub.
    var kojiLimits: KojiLimits
    var kojiRules: KojiRules
    var modules: Modules
    var systems: Systems
    var images: Images
    /// Logins with Kerberos, and the directory of groups. `nil` if they are not configured.
    var kerberos: KerberosLogins?
    var directory: LDAPGroups?
    var openID: OpenID
    /// The TLS of the frontend. `nil` if it serves plain HTTP.
    var tls: TLS?
    var worker: Worker
    var signing: Signing?
    var events: EventSettings
    var tracing: TracingSettings
    /// The number of days for which the audit keeps its entries.
    var auditKeepDays: Int
    var log: LogSettings

    /// Returns the configuration in the file at `path`, with the settings of the environment. Without a
    /// path, the other settings have their defaults.
    static func load(
        _ path: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ServerConfiguration {
        var reader = try ConfigurationReader(path: path, environment: environment)
        return try ServerConfiguration(whole: &reader)
    }

    /// - Parameter directory: The directory that relative paths in the text are relative to.
    init(_ text: String, file: String, directory: FilePath, environment: [String: String] = [:]) throws {
        var reader = try ConfigurationReader(text, file: file, directory: directory, environment: environment)
        try self.init(whole: &reader)
    }

    /// Reads the configuration, and refuses keys that it does not have.
    private init(whole reader: inout ConfigurationReader) throws {
        try self.init(&reader)
        try reader.rejectUnknownKeys()
    }

    init(_ reader: inout ConfigurationReader) throws {
        stateDirectory = try reader.stateDirectory()
        database = try reader.database()
        auth = try reader.auth()
        access = try reader.accessRules()
        frontend = Frontend(
            host: try reader.host("frontend.host", default: "127.0.0.1"),
            port: try reader.int("frontend.port", default: 5005, in: 0...65535),
            isOpenToAll: try reader.bool("frontend.open_to_all", default: false),
            repeatSeconds: try reader.int("frontend.repeat_seconds", default: 0, in: 0...86_400),
            publicURL: try reader.publicURL(),
            waitingPerCaller: try reader.int("frontend.waiting_per_caller", default: 2000, in: 0...1_000_000),
            watchesPerCaller: try reader.int("frontend.watches_per_caller", default: 500, in: 0...1_000_000),
            uploadMegabytesPerCaller: try reader.int("frontend.upload_megabytes_per_caller", default: 20_000, in: 0...1_000_000_000),
            trustedProxies: try reader.addresses("frontend.trusted_proxies"),
            maxConnections: try reader.int("frontend.max_connections", default: 1000, in: 16...1_000_000),
            requestSeconds: try reader.int("frontend.request_seconds", default: 60, in: 1...86_400),
            login: try reader.optionalString("frontend.login"))
        var targets: [String: Target] = [:]
        for name in try reader.targetNames() {
            targets[name] = Target(
                directory: try reader.path(
                    "composes.targets.\(name).directory",
                    default: name == "default" ? stateDirectory.appending("composes") : stateDirectory.appending("composes-\(name)")),
                url: try reader.optionalBaseURL("composes.targets.\(name).url"), readers: try reader.readers(ofTarget: name, auth))
        }
        if frontend.listensEverywhere, frontend.publicURL == nil, targets.values.contains(where: { $0.url == nil }) {
            throw reader.mistake(
                "frontend.host",
                "is \(frontend.host), which stands for all addresses of this host; clients need one of them, and frontend.public_url must say it, "
                    + "for example http://odcs.example.org:\(frontend.port)")
        }
        try reader.checkHost(of: frontend, auth)
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
            keepsLayers: try reader.bool("sources.layers", default: true),
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
        systems = try Systems(&reader)
        openID = try reader.openID()
        try reader.checkLogin(of: frontend, auth, openID)
        tls = try reader.tls()
        worker = Worker(
            name: try reader.optionalString("worker.name") ?? Self.processName,
            slots: try reader.int("worker.slots", default: 2, in: 1...64),
            leaseSeconds: try reader.leaseSeconds(),
            attempts: try reader.int("worker.attempts", default: 3, in: 1...100),
            retrySeconds: try reader.int("worker.retry_seconds", default: 5, in: 1...3600),
            expireSeconds: try reader.int("worker.expire_seconds", default: 10, in: 1...3600),
            poolMegabytes: try reader.int("worker.pool_megabytes", default: 1024, in: 64...100_000),
            composeSeconds: try reader.int("worker.compose_seconds", default: 7200, in: 1...604_800),
            resolveSeconds: try reader.int("worker.resolve_seconds", default: 10, in: 1...86_400))
        images = try reader.images(frontend: frontend, auth: auth)
        kerberos = try reader.kerberosLogins()
        directory = try reader.ldapGroups()
        let home = try reader.optionalString("signing.home").map { _ in try reader.path("signing.home", default: "") }
        signing = try reader.optionalString("signing.key").map { Signing(key: $0, home: home) }
        events = try reader.events()
        tracing = try reader.tracing()
        auditKeepDays = try reader.int("audit.keep_days", default: 400, in: 1...100_000)
        log = try reader.log()
    }

    /// The default name of a worker: host and process id. No two workers share both.
    private static var processName: String {
        "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }
}
