public import Identity
public import SystemPackage

/// The configuration of the frontend, as plain values. The program that assembles the server reads them
/// from the configuration file.
public struct FrontendConfiguration: Sendable {
    /// A target directory is a directory for finished composes, with the place where it is served.
    public struct TargetDirectory: Sendable {
        public var path: FilePath
        /// A path if the frontend serves the directory itself, or an absolute URL if another server does.
        /// Example: `/composes`.
        public var url: String

        public init(path: FilePath, url: String) {
            self.path = path
            self.url = url
        }
    }

    /// The base of every absolute URL in an answer. If it is empty, the base is taken from the request's
    /// Host header.
    public var serverURL: String
    /// The target directories by name. A request that names no directory uses `default`.
    public var targets: [String: TargetDirectory]
    public var limits: RequestLimits
    public var admission: Admission
    public var access: AccessControl
    /// The setup for API tokens. `nil` if this server takes none.
    public var tokens: TokenService?
    /// The attributes of the source of each Pungi configuration, by the name of the configuration. Example:
    /// `["pungi_cfg": ["url": "https://example.com/pungi.git"]]`.
    public var rawConfigURLs: [String: [String: String]]
    public var version: String
    /// The longest request body that is read, in bytes.
    public var bodyLimit: Int
    /// The number of composes on a page of a list: the default, and the maximum that a caller can choose.
    public var perPage: (default: Int, maximum: Int)
    public var callers: CallerLimits
    /// The maximum number of connections that are open at the same time.
    public var maximumConnections: Int
    /// The time in which the body of a request has to arrive, in seconds.
    public var requestSeconds: Int
    /// The setup for building images. `nil` if this server builds none.
    public var images: ImageService?
    /// The provider at which people log in to the pages, if there is one.
    public var login: (any LoginProvider)?

    /// Whether people can log in to the pages: at a provider, or with the ticket that their browser has.
    var hasWebLogin: Bool { login != nil || access.chain?.providers.contains { $0.challenge == "Negotiate" } == true }

    public init(
        serverURL: String = "", targets: [String: TargetDirectory], limits: RequestLimits = RequestLimits(), admission: Admission,
        access: AccessControl = AccessControl(), tokens: TokenService? = nil,
        rawConfigURLs: [String: [String: String]] = [:], version: String, bodyLimit: Int = 1 << 20,
        perPage: (default: Int, maximum: Int) = (10, 100), callers: CallerLimits = CallerLimits(), maximumConnections: Int = 1000,
        requestSeconds: Int = 60, images: ImageService? = nil, login: (any LoginProvider)? = nil
    ) {
        self.serverURL = serverURL
        self.targets = targets
        self.limits = limits
        self.admission = admission
        self.access = access
        self.tokens = tokens
        self.rawConfigURLs = rawConfigURLs
        self.version = version
        self.bodyLimit = bodyLimit
        self.perPage = perPage
        self.callers = callers
        self.maximumConnections = maximumConnections
        self.requestSeconds = requestSeconds
        self.images = images
        self.login = login
    }
}
