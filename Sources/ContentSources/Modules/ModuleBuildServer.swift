import NIOSSL
public import SystemPackage

/// Which Module Build Service is asked, and how: what an operator configures.
public struct ModuleBuildServer: Hashable, Sendable {
    /// How much is read from it, and how patiently.
    public struct Limits: Hashable, Sendable {
        public var asking = WebServiceLimits()
        /// How many builds with their documents are asked for at once.
        public var pageSize: Int = 20
        /// How many builds are asked for at once where a line about each is enough.
        public var listSize: Int = 100
        /// Pages of one list.
        public var pages: Int = 50
        /// The newest builds among which names of modules and streams are looked for.
        public var listedBuilds: Int = 1000

        public init() {}
    }

    public typealias ConfigurationError = WebServiceConfigurationError

    /// The certificates that its own is checked against, a PEM file; `nil` for those of the system.
    public let caFile: FilePath?
    public let limits: Limits
    /// The address below which all resources of the API are.
    let api: RepositoryURL

    static let title = "the Module Build Service"

    /// - Parameter url: where it is, as `https://mbs.example.org/module-build-service`, with the version of the API behind (`/1/`) or not.
    public init(url: String, caFile: FilePath? = nil, limits: Limits = Limits()) throws(ConfigurationError) {
        self.caFile = caFile
        self.limits = limits
        do {
            let url = try RepositoryURL(url).appending(href: "")
            // Of both versions the answers are the same as far as they are read here.
            api = try url.appending(href: ["1", "2"].contains(url.names.last) ? "../1" : "1")
        } catch {
            throw .address(of: Self.title, error)
        }
    }

    var service: WebService {
        WebService(
            title: Self.title, edition: nil, contents: "modules", remedy: nil, api: api, authentication: .init(), limits: limits.asking)
    }

    /// The configuration of TLS, `nil` where the HTTP client's own will do; reads the file.
    func tlsConfiguration() throws(ConfigurationError) -> TLSConfiguration? {
        caFile == nil ? nil : try TLSConfiguration.client(trusting: caFile, for: Self.title)
    }
}
