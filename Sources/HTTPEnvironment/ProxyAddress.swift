import AsyncHTTPClient
import Foundation

/// The address of a proxy, a host that passes requests on. Example: `http://proxy.example.org:3128`.
/// User and password are part of the address if the proxy asks for them:
/// `http://me:secret@proxy.example.org:3128`.
struct ProxyAddress: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// An HTTP proxy. It passes plain requests on, and opens a tunnel with `CONNECT` for TLS.
        case http
        /// A SOCKS 5 proxy, which looks names up itself.
        case socks
    }

    /// The port if the address does not name one. It is the same as curl's.
    private static let usualPort = 1080

    let kind: Kind
    let host: String
    let port: Int
    /// User and password in the form of HTTP Basic, `user:password`.
    private let credentials: String?

    /// - Parameters:
    ///   - text: The address. If it has no scheme, `http` is assumed.
    ///   - place: The variable or setting that has the address, for the problem's text. That text never has
    ///     the address, which may hold a password.
    init(_ text: String, in place: String) throws(OutboundProblem) {
        func problem(_ why: String) -> OutboundProblem {
            OutboundProblem("\(place) is not the address of a proxy, as http://proxy.example.org:3128 is one: \(why)")
        }
        let full = text.contains("://") ? text : "http://\(text)"
        guard let parts = URLComponents(string: full), let host = parts.host, !host.isEmpty else { throw problem("it names no host") }
        switch parts.scheme?.lowercased() {
        case "http": kind = .http
        case "socks5", "socks5h", "socks": kind = .socks
        default: throw problem("it begins with none of http://, socks5:// and socks5h://")
        }
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard let port = UInt16(exactly: parts.port ?? Self.usualPort), port > 0 else {
            throw problem("its port is not a number from 1 to 65535")
        }
        self.port = Int(port)
        credentials = parts.user.map { "\($0):\(parts.password ?? "")" }
        if kind == .socks, credentials != nil { throw problem("user and password cannot be given to a SOCKS proxy here") }
    }

    /// Scheme, host and port, without user and password. Example: `http://proxy.example.org:3128`.
    var origin: String { "\(kind == .http ? "http" : "socks5")://\(authority)" }

    /// Host and port as in a URL. Example: `proxy.example.org:3128`.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The value of the header `Proxy-Authorization`, or `nil` if the proxy has no credentials.
    var authorization: String? { credentials.map { "Basic " + Data($0.utf8).base64EncodedString() } }

    /// The HTTP client's setting for connections through a tunnel of this proxy.
    var tunnel: HTTPClient.Configuration.Proxy {
        switch kind {
        case .http:
            .server(
                host: host, port: port,
                authorization: credentials.map { .basic(credentials: Data($0.utf8).base64EncodedString()) })
        case .socks: .socksServer(host: host, port: port)
        }
    }
}
