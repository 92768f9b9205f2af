import Foundation
public import SystemPackage

/// The address of an engine's API.
public enum EngineAddress: Hashable, Sendable, CustomStringConvertible {
    /// A Unix socket. Example: `/run/podman/podman.sock`.
    case socket(FilePath)
    /// TLS. The client has the certificates.
    case tls(host: String, port: Int)

    /// The beginning of all URLs.
    var url: String {
        switch self {
        case .socket(let path): "http+unix://\(path.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")/v1.41/"
        case .tls(let host, let port): "https://\(host):\(port)/v1.41/"
        }
    }

    public var description: String {
        switch self {
        case .socket(let path): path.string
        case .tls(let host, let port): "\(host):\(port)"
        }
    }
}
