import AsyncHTTPClient
import ForeignText
public import ImageModel
import NIOHTTP1

/// Checking a user name and a password. OCI Distribution Specification, "Determining Support", with the
/// challenges of RFC 7617 and of Docker's "Token Authentication Specification".
extension RegistryClient {
    /// The answer of a registry to a login.
    public enum LoginAnswer: Hashable, Sendable {
        case accepted
        /// The registry asks for no credentials there, so it did not look at them.
        case notAsked
    }

    /// Asks a registry whether it accepts a user name and a password. Nothing is stored.
    ///
    /// - Throws: `.unauthorized` if the registry does not accept them.
    public func login(to host: RegistryHost, user: String, password: String) async throws(RegistryFailure) -> LoginAnswer {
        let root = configuration.endpoint(host).root
        let credentials = Credentials(user: user, password: password)
        return try await connection.persistently("login to \(host)") { () async throws(RegistryFailure) in
            let first = try await status(of: root, nil)
            guard first.status == 401 else { return try Self.answer(first.status, at: root, isAsked: false) }
            if let bearer = first.challenges.first(where: { $0.scheme == "bearer" }), let realm = bearer.parameters["realm"] {
                var service = try root.resolving(realm, "names as its token service")
                guard connection.mayShowCredentials(of: root, to: service) else {
                    throw RegistryFailure(
                        .denied,
                        "The registry at \(root.origin) names the token service \(service.origin), which is in another domain. "
                            + "Credentials are not sent there.")
                }
                if let name = bearer.parameters["service"] { service = service.adding("service", RegistryConnection.escaped(name)) }
                return try Self.answer(try await status(of: service, credentials).status, at: root, isAsked: true)
            }
            guard first.challenges.contains(where: { $0.scheme == "basic" }) else {
                throw RegistryFailure(.badAnswer, "The registry at \(root.origin) asks for credentials in a way that is not known.")
            }
            return try Self.answer(try await status(of: root, credentials).status, at: root, isAsked: true)
        }
    }

    private func status(
        of url: RegistryURL, _ credentials: Credentials?
    ) async throws(RegistryFailure) -> (status: UInt, challenges: [Challenge]) {
        var request = HTTPClientRequest(url: url.request)
        if let credentials { request.headers.add(name: "authorization", value: credentials.basic) }
        let response = try await connection.send(request, to: url)
        // The body is read so that the connection can be used again. The status says enough.
        _ = try? await connection.body(of: response, from: url, most: limits.pageBytes)
        if Task.isCancelled { throw .canceled }
        return (response.status.code, Challenge.all(in: response.headers["www-authenticate"]))
    }

    private static func answer(_ status: UInt, at root: RegistryURL, isAsked: Bool) throws(RegistryFailure) -> LoginAnswer {
        switch status {
        case 200: return isAsked ? .accepted : .notAsked
        case 401,
            403 where isAsked:
            throw RegistryFailure(.unauthorized, "The registry at \(root.origin) does not accept this user name with this password.")
        case 408, 425, 429, 500...599: throw .unreachable("\(root.origin) answered with the status \(status)")
        default: throw RegistryFailure(.badAnswer, "There is no registry at \(root.origin): it answered with the status \(status).")
        }
    }
}
