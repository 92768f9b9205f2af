import ForeignText

/// A *node connection* is the way to the engine of a node. Its text is stored and shown to admins.
///
/// Examples: `unix:///run/podman/podman.sock`, `ssh://me@arm1.example.org:22/run/podman/podman.sock`,
/// `tcp://arm1.example.org:2376` for TLS with the certificate of the node's identity.
public enum NodeConnection: Hashable, Sendable, CustomStringConvertible {
    /// The worker's own node, with buildah.
    case local
    /// A socket on the host of the worker.
    case unix(path: String)
    /// A socket on another host, over ssh.
    case ssh(user: String?, host: String, port: Int, path: String)
    /// The Docker Engine API with TLS.
    case tls(host: String, port: Int)

    /// Throws ``ImageProblem`` with the forms that are possible.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        if text == "local" {
            self = .local
            return
        }
        guard let scheme = text.firstRange(of: "://") else { throw Self.problem(text) }
        let rest = text[scheme.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (authority, path) = (rest[..<slash], String(rest[slash...]))
        guard text.utf8.count <= 500, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw Self.problem(text) }
        switch text[..<scheme.lowerBound] {
        case "unix":
            guard authority.isEmpty, path.utf8.count > 1 else { throw Self.problem(text) }
            self = .unix(path: path)
        case "ssh":
            let at = authority.lastIndex(of: "@")
            let user = at.map { String(authority[..<$0]) }
            let (host, port) = try Self.hostAndPort(at.map { authority[authority.index(after: $0)...] } ?? authority, or: 22, text)
            // A name that begins with a hyphen would be an option of ssh.
            guard user.map({ !$0.isEmpty && !$0.hasPrefix("-") && !$0.contains(":") }) ?? true, path.utf8.count > 1 else {
                throw Self.problem(text)
            }
            self = .ssh(user: user, host: host, port: port, path: path)
        case "tcp", "https":
            guard path.isEmpty || path == "/" else { throw Self.problem(text) }
            let (host, port) = try Self.hostAndPort(authority, or: 2376, text)
            self = .tls(host: host, port: port)
        default: throw Self.problem(text)
        }
    }

    public var description: String {
        switch self {
        case .local: "local"
        case .unix(let path): "unix://\(path)"
        case .ssh(let user, let host, let port, let path):
            "ssh://\(user.map { "\($0)@" } ?? "")\(host)\(port == 22 ? "" : ":\(port)")\(path)"
        case .tls(let host, let port): "tcp://\(host):\(port)"
        }
    }

    /// The kind, which everybody may know: `local`, `unix`, `ssh` or `tls`.
    public var kind: String {
        switch self {
        case .local: "local"
        case .unix: "unix"
        case .ssh: "ssh"
        case .tls: "tls"
        }
    }

    private static func hostAndPort(
        _ text: some StringProtocol, or usual: Int, _ whole: some StringProtocol
    ) throws(ImageProblem) -> (host: String, port: Int) {
        var (host, port) = (String(text), usual)
        // An IPv6 address has colons of its own.
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            guard let number = Int(host[host.index(after: colon)...]), (1...65_535).contains(number) else { throw problem(whole) }
            (host, port) = (String(host[..<colon]), number)
        }
        guard !host.isEmpty, !host.hasPrefix("-"), host.utf8.allSatisfy({ $0.isLetterOrDigit || ".-_:[]".utf8.contains($0) }) else {
            throw problem(whole)
        }
        return (host, port)
    }

    private static func problem(_ text: some StringProtocol) -> ImageProblem {
        ImageProblem(
            .badNode,
            "\(text.quoted) is no connection of a node. Use unix:///PATH, ssh://USER@HOST:PORT/PATH with the path of the engine's socket, "
                + "or tcp://HOST:PORT for TLS.")
    }
}
