import Foundation

/// The settings in a process's environment for reaching servers, from the variables that curl reads.
///
/// Proxies are named by `http_proxy`, by `https_proxy` or `HTTPS_PROXY`, and for both by `all_proxy` or
/// `ALL_PROXY`. `http_proxy` counts in lower case only, because a web server sets `HTTP_PROXY` from a
/// header of a request. `no_proxy` or `NO_PROXY` lists hosts that are reached directly. This host is
/// always reached directly. `SSL_CERT_FILE` and `SSL_CERT_DIR` name the certificates to trust. An empty
/// variable counts as not set.
public struct HTTPEnvironment: Sendable {
    /// The route of a request: direct, through a proxy, or none because of a problem.
    enum Route: Hashable, Sendable {
        case direct
        case proxy(ProxyAddress, place: String)
        /// The setting cannot be used, so requests that need it fail.
        case problem(OutboundProblem)
    }

    private(set) var plain: Route
    private(set) var secure: Route
    let directHosts: DirectHosts
    private let trusted: FirstUse<Result<TrustedCertificates?, OutboundProblem>>
    /// The certificates to trust. They are read when they are first asked for, because that takes some
    /// milliseconds.
    var certificates: Result<TrustedCertificates?, OutboundProblem> { trusted.value }

    /// The environment of this process.
    public static let process = HTTPEnvironment(ProcessInfo.processInfo.environment)

    /// - Parameter bundle: The name of a further variable that names all certificates to trust. Example:
    ///   `REQUESTS_CA_BUNDLE`.
    public init(_ variables: [String: String], bundle: String? = nil) {
        func route(_ names: [String]) -> Route {
            for name in names {
                guard let value = variables[name], !value.isEmpty else { continue }
                return Self.route(value, of: "the variable \(name)")
            }
            return .direct
        }
        plain = route(["http_proxy", "all_proxy", "ALL_PROXY"])
        secure = route(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        directHosts = DirectHosts(["no_proxy", "NO_PROXY"].lazy.compactMap { variables[$0] }.first { !$0.isEmpty } ?? "")
        trusted = FirstUse {
            do throws(OutboundProblem) {
                return .success(try TrustedCertificates(bundle: bundle, in: variables))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Returns a copy that uses the proxy of a setting for all servers, instead of the proxies of the
    /// environment.
    ///
    /// - Parameters:
    ///   - address: The proxy's address, for example `http://proxy.example.org:3128`. `nil` keeps the
    ///     environment's proxies.
    ///   - setting: The setting's name, for example `sources.proxy`.
    /// - Throws: ``OutboundProblem`` if the address cannot be the address of a proxy.
    public func withProxy(_ address: String?, of setting: String) throws(OutboundProblem) -> HTTPEnvironment {
        guard let address else { return self }
        var environment = self
        environment.plain = .proxy(try ProxyAddress(address, in: setting), place: setting)
        environment.secure = environment.plain
        return environment
    }

    /// The problems of the variables. The description of each is a sentence without its final period.
    public var problems: [OutboundProblem] {
        var problems = [plain, secure].compactMap { if case .problem(let problem) = $0 { problem } else { nil } }
        if problems.count == 2, problems[0] == problems[1] { problems.removeLast() }
        if case .failure(let problem) = certificates { problems.append(problem) }
        return problems
    }

    func route(to host: String, port: Int, isSecure: Bool) -> Route {
        let route = isSecure ? secure : plain
        return route == .direct || directHosts.contains(host: host, port: port) ? .direct : route
    }

    private static func route(_ value: String, of place: String) -> Route {
        do throws(OutboundProblem) {
            return .proxy(try ProxyAddress(value, in: place), place: place)
        } catch {
            return .problem(error)
        }
    }
}
