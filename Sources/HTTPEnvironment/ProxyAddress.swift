import AsyncHTTPClient
import Foundation

/// A proxy is a host that passes requests on. Its address is written as `http://proxy.example.org:3128`, with user and password if it asks
/// for them: `http://me:secret@proxy.example.org:3128`.
struct ProxyAddress: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// HTTP: plain requests are passed on, TLS goes through a tunnel that `CONNECT` opens.
        case http
        /// SOCKS 5, which looks names up itself.
        case socks
    }

    /// The port if the address names none, as curl has it.
    private static let usualPort = 1080

    let kind: Kind
    let host: String
    let port: Int
    /// As HTTP Basic has it, `user:password`.
    private let credentials: String?

    /// - Parameters:
    ///   - text: The scheme may be left out, it is `http` then.
    ///   - place: The variable or setting that has it, for the problem's text, which never has the address: it may hold a password.
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

    /// Scheme, host and port; never user and password.
    var origin: String { "\(kind == .http ? "http" : "socks5")://\(authority)" }

    /// Host and port, as a URL has them.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The value of `Proxy-Authorization`.
    var authorization: String? { credentials.map { "Basic " + Data($0.utf8).base64EncodedString() } }

    /// For connections through a tunnel.
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
