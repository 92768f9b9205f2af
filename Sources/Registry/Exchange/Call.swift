import AsyncHTTPClient
import ImageModel
import NIOHTTP1

/// A *call* is one request to a registry about one repository.
struct Call: Sendable {
    /// The right that the call needs (Docker's "Token Scope Documentation").
    enum Access: String, Sendable {
        case read = "pull"
        case write = "pull,push"
    }

    let method: HTTPMethod
    let url: RegistryURL
    let endpoint: RegistryEndpoint
    let repository: ImageRepository
    let access: Access
    var headers: HTTPHeaders = [:]
    /// Makes the body, anew for each time that it is sent.
    var body: (@Sendable () -> HTTPClientRequest.Body)?
    /// The bytes of the body. They give the request more time.
    var bodyBytes = 0
    /// The repository that a blob is mounted from, which needs to be read.
    var source: ImageRepository?
    /// Only blobs may be elsewhere (OCI Distribution Specification, "Pulling blobs").
    var followsRedirects = false

    init(
        _ method: HTTPMethod, _ resource: String, of repository: ImageRepository, at endpoint: RegistryEndpoint, _ access: Access = .read
    ) {
        self.init(method, endpoint.url(repository, resource), of: repository, at: endpoint, access)
    }

    init(
        _ method: HTTPMethod, _ url: RegistryURL, of repository: ImageRepository, at endpoint: RegistryEndpoint, _ access: Access = .read
    ) {
        self.method = method
        self.url = url
        self.endpoint = endpoint
        self.repository = repository
        self.access = access
    }

    /// The scopes to ask a token service for, for example `repository:team/web:pull`.
    var scopes: [String] {
        ["repository:\(repository.path):\(access.rawValue)"] + (source.map { ["repository:\($0.path):pull"] } ?? [])
    }

    /// The operation for a message, after "to".
    var purpose: String { access == .read ? "read \(repository.path)" : "write to \(repository.path)" }
}
