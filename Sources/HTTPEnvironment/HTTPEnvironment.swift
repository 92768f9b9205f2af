import Foundation

/// What a process's environment says of how to reach servers, in the variables that curl reads.
///
/// Proxies are named by `http_proxy` (in lower case only, because a web server sets `HTTP_PROXY` from a header of a request), `https_proxy` or
/// `HTTPS_PROXY`, and `all_proxy` or `ALL_PROXY` for both. `no_proxy` or `NO_PROXY` lists hosts that are reached directly, as this host always is.
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name the certificates to trust. A variable that is empty is not set.
public struct HTTPEnvironment: Sendable {
    /// How a request may go.
    enum Route: Hashable, Sendable {
        case direct
        case proxy(ProxyAddress, place: String)
        /// The setting cannot be used, and neither can what is to go there.
        case problem(OutboundProblem)
    }

    private(set) var plain: Route
    private(set) var secure: Route
    let directHosts: DirectHosts
    let certificates: Result<TrustedCertificates?, OutboundProblem>

    /// This process's own.
    public static let process = HTTPEnvironment(ProcessInfo.processInfo.environment)

    /// - Parameter bundle: A further variable, that names all certificates to trust.
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
        do throws(OutboundProblem) {
            certificates = .success(try TrustedCertificates(bundle: bundle, in: variables))
        } catch {
            certificates = .failure(error)
        }
    }

    /// The same, with the proxy that a setting names for all servers in place of those of the environment.
    ///
    /// - Parameters:
    ///   - address: As `http://proxy.example.org:3128`; `nil` leaves the environment's.
    ///   - setting: The setting's name, as `sources.proxy`.
    /// - Throws: ``OutboundProblem`` if the address cannot be one.
    public func withProxy(_ address: String?, of setting: String) throws(OutboundProblem) -> HTTPEnvironment {
        guard let address else { return self }
        var environment = self
        environment.plain = .proxy(try ProxyAddress(address, in: setting), place: setting)
        environment.secure = environment.plain
        return environment
    }

    /// What is wrong with the variables, in sentences without an end.
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
