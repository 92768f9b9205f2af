import NIOSSL
public import SystemPackage

/// The operator's settings for a Module Build Service: its address, certificates and limits.
public struct ModuleBuildServer: Hashable, Sendable {
    /// The limits on the data read from the service, and on repeated requests.
    public struct Limits: Hashable, Sendable {
        public var asking = patient
        /// The number of builds in one page of a list with documents.
        public var pageSize: Int = 20
        /// The number of builds in one page of a list with short entries.
        public var listSize: Int = 100
        /// The maximum number of pages of one list.
        public var pages: Int = 50
        /// The number of newest builds that are searched for names of modules and streams.
        public var listedBuilds: Int = 1000

        /// Limits that bridge an outage of half a minute, as the limits for Koji's hub do.
        private static var patient: WebServiceLimits {
            var limits = WebServiceLimits()
            limits.attempts = 8
            return limits
        }

        public init() {}
    }

    public typealias ConfigurationError = WebServiceConfigurationError

    /// A PEM file with the certificates that the service's certificate is checked against. `nil` for the
    /// system's certificates.
    public let caFile: FilePath?
    public let limits: Limits
    /// The URL below which all resources of the API are.
    let api: RepositoryURL

    static let title = "the Module Build Service"

    /// - Parameter url: The address of the service, for example
    ///   `https://mbs.example.org/module-build-service`. It may end in the version of the API (`/1/` or
    ///   `/2/`).
    public init(url: String, caFile: FilePath? = nil, limits: Limits = Limits()) throws(ConfigurationError) {
        self.caFile = caFile
        self.limits = limits
        do {
            let url = try RepositoryURL(url).appending(href: "")
            // The fields that are read here are the same in both versions of the API.
            api = try url.appending(href: ["1", "2"].contains(url.names.last) ? "../1" : "1")
        } catch {
            throw .address(of: Self.title, error)
        }
    }

    var service: WebService {
        WebService(
            title: Self.title, edition: nil, contents: "modules", remedy: nil, api: api, authentication: .init(), limits: limits.asking)
    }

    /// Returns the TLS configuration, or `nil` if the HTTP client's own is sufficient. Reads the
    /// certificate file.
    ///
    /// Throws if the file cannot be read or holds no certificate in PEM form.
    func tlsConfiguration() throws(ConfigurationError) -> TLSConfiguration? {
        caFile == nil ? nil : try TLSConfiguration.client(trusting: caFile, for: Self.title)
    }
}
