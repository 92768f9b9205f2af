import ComposeModel
import Hummingbird

/// The absolute URLs in the answer to one request.
struct PublicURLs: Sendable {
    /// `https://odcs.example.com`, without a slash at the end.
    let base: String
    /// The path of `base`, without a slash at the end. Example: `/odcs`, or nothing. Links on pages begin
    /// with it.
    var path: String { Self.path(of: base) }
    private let targets: [String: FrontendConfiguration.TargetDirectory]

    init(_ configuration: FrontendConfiguration, _ request: Request) {
        targets = configuration.targets
        base = configuration.serverURL.isEmpty ? Self.base(of: request) : String(configuration.serverURL.trimmingSuffix("/"))
    }

    /// Returns the path of `base`, without a slash at the end.
    static func path(of base: String) -> String {
        String((base.split(separator: "://", maxSplits: 1).last ?? "").drop { $0 != "/" }.trimmingSuffix("/"))
    }

    /// Returns the base from the Host header. If the header has characters that no host name has, the base
    /// is `http://localhost`.
    private static func base(of request: Request) -> String {
        guard let host = request.head.authority, !host.isEmpty,
            host.utf8.allSatisfy({ $0.isASCIIAlphanumeric || ".-:[]_".utf8.contains($0) })
        else { return "http://localhost" }
        return "http://\(host)"
    }

    /// Returns the URL of a target directory, without a slash at the end. A name that is no longer
    /// configured has the URL of `default`.
    func target(_ name: String) -> String {
        let url = (targets[name] ?? targets["default"])?.url.trimmingSuffix("/") ?? "/composes"
        return url.hasPrefix("/") ? base + url : String(url)
    }

    func document(_ compose: Compose) -> ComposeDocument {
        ComposeDocument(compose, targetURL: target(compose.request.targetDir))
    }

    func document(_ watch: ComposeWatch) -> WatchDocument {
        WatchDocument(watch) { "\(base)/api/1/composes/\($0)" }
    }
}
