public import ImageModel

/// The settings of a ``RegistryClient``.
public struct RegistryConfiguration: Sendable {
    /// The registries that are spoken to without TLS.
    public var insecureHosts: Set<RegistryHost>
    /// Whether registries on loopback addresses are spoken to without TLS.
    public var isLoopbackInsecure: Bool
    /// For each registry, the registries that are asked before it for content to read. Their paths are the
    /// same. Example: `docker.io` has the mirror `mirror.example.org:5000`.
    public var mirrors: [RegistryHost: [RegistryHost]]
    /// The hosts of token services that may see credentials of registries in other domains.
    public var tokenHosts: Set<String>
    public var credentials: CredentialFiles
    public var limits: RegistryLimits

    public init(
        insecureHosts: Set<RegistryHost> = [], isLoopbackInsecure: Bool = false, mirrors: [RegistryHost: [RegistryHost]] = [:],
        tokenHosts: Set<String> = [], credentials: CredentialFiles = .none, limits: RegistryLimits = RegistryLimits()
    ) {
        self.insecureHosts = insecureHosts
        self.isLoopbackInsecure = isLoopbackInsecure
        self.mirrors = mirrors
        self.tokenHosts = tokenHosts
        self.credentials = credentials
        self.limits = limits
    }

    func mirrorEndpoints(of host: RegistryHost) -> [RegistryEndpoint] { (mirrors[host] ?? []).map(endpoint) }

    func endpoint(_ host: RegistryHost) -> RegistryEndpoint {
        let isPlain = insecureHosts.contains(host) || (isLoopbackInsecure && host.isLoopback)
        // Docker Hub's API has another name than its images.
        let name = host == .dockerHub ? "registry-1.docker.io" : host.name
        return RegistryEndpoint(host: host, root: RegistryURL(isSecure: !isPlain, host: name, port: host.port, path: "/v2/"))
    }
}

/// A registry with the address of its API.
struct RegistryEndpoint: Hashable, Sendable {
    let host: RegistryHost
    /// For example `https://registry.example.org/v2/`.
    let root: RegistryURL

    /// Returns the address of a resource of a repository, for example `…/v2/team/web/manifests/latest`.
    func url(_ repository: ImageRepository, _ resource: String) -> RegistryURL {
        RegistryURL(isSecure: root.isSecure, host: root.host, port: root.port, path: "/v2/\(repository.path)/\(resource)")
    }
}
