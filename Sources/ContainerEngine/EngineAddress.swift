import Foundation
public import SystemPackage

/// The address of an engine's API.
public enum EngineAddress: Hashable, Sendable, CustomStringConvertible {
    /// A Unix socket. Example: `/run/podman/podman.sock`.
    case socket(FilePath)
    /// TLS. The client has the certificates.
    case tls(host: String, port: Int)

    /// The beginning of all URLs of docker's API.
    var url: String { "\(origin)/v1.41/" }
    /// The beginning of all URLs of podman's own API. It is the oldest version that its service knows.
    var podmanURL: String { "\(origin)/v4.0.0/libpod/" }

    private var origin: String {
        switch self {
        case .socket(let path): "http+unix://\(path.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        case .tls(let host, let port): "https://\(host):\(port)"
        }
    }

    public var description: String {
        switch self {
        case .socket(let path): path.string
        case .tls(let host, let port): "\(host):\(port)"
        }
    }
}
