public import ComposeModel
public import SystemPackage

/// Everything the frontend is told; plain values, read from the configuration file by whoever assembles the server.
public struct FrontendConfiguration: Sendable {
    /// Where a target directory lies and where it is served.
    public struct TargetDirectory: Sendable {
        public var path: FilePath
        /// A path such as `/composes`, at which the frontend serves the directory itself, or the absolute URL at which another server does.
        public var url: String

        public init(path: FilePath, url: String) {
            self.path = path
            self.url = url
        }
    }

    /// The base of every absolute URL in an answer; empty: taken from the request's Host header.
    public var serverURL: String
    /// By name; `default` is the one used when a request names none.
    public var targets: [String: TargetDirectory]
    public var limits: RequestLimits
    public var authenticator: any Authenticator
    /// Shown by `about`: kind (`users`, `groups`), name, attribute, what is allowed.
    public var allowedClients: [String: [String: [String: [String]]]]
    /// By name: the attributes of a Pungi configuration's place, among them `url`.
    public var rawConfigURLs: [String: [String: String]]
    public var version: String
    /// The longest request body that is read, in bytes.
    public var bodyLimit: Int
    /// The composes on a page of the list, when the caller does not say, and at the most.
    public var perPage: (default: Int, maximum: Int)
    public var callers: CallerLimits
    /// How many connections are open at the same time.
    public var maximumConnections: Int
    /// How long the body of a request may take to arrive, in seconds.
    public var requestSeconds: Int
    /// Called when a compose is asked for: throws where its source lies outside of what this server may read.
    public var checkSource: @Sendable (ComposeRequest) throws(ComposeFailure) -> Void

    public init(
        serverURL: String = "", targets: [String: TargetDirectory], limits: RequestLimits = RequestLimits(),
        authenticator: any Authenticator = NoAuthentication(),
        allowedClients: [String: [String: [String: [String]]]] = ["users": [:], "groups": [:]],
        rawConfigURLs: [String: [String: String]] = [:], version: String, bodyLimit: Int = 1 << 20,
        perPage: (default: Int, maximum: Int) = (10, 100), callers: CallerLimits = CallerLimits(), maximumConnections: Int = 1000,
        requestSeconds: Int = 60,
        checkSource: @escaping @Sendable (ComposeRequest) throws(ComposeFailure) -> Void
    ) {
        self.serverURL = serverURL
        self.targets = targets
        self.limits = limits
        self.authenticator = authenticator
        self.allowedClients = allowedClients
        self.rawConfigURLs = rawConfigURLs
        self.version = version
        self.bodyLimit = bodyLimit
        self.perPage = perPage
        self.callers = callers
        self.maximumConnections = maximumConnections
        self.requestSeconds = requestSeconds
        self.checkSource = checkSource
    }
}
