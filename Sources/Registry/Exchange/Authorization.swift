import AsyncHTTPClient
import ForeignText
import ImageModel
import NIOHTTP1

/// The answers to a registry's challenges: tokens and user names with passwords. Docker's "Token
/// Authentication Specification", and RFC 7617.
extension RegistryConnection {
    private static let longestToken = 64 << 10
    /// A token is used for at most this time, and for this part of the time that its service reports.
    private static let longestUse = Duration.seconds(3600)
    private static let usedPart = 0.9

    /// Returns the value of the header `Authorization` for a call that was challenged, or nil if there is
    /// no challenge that can be answered.
    func authorization(
        for call: Call, _ challenges: [Challenge], _ key: TokenCache.Key
    ) async throws(RegistryFailure) -> String? {
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }), let realm = bearer.parameters["realm"] {
            let (token, time) = try await token(for: call, realm, service: bearer.parameters["service"])
            tokens.keep("Bearer \(token)", for: time, key)
            return "Bearer \(token)"
        }
        guard challenges.contains(where: { $0.scheme == "basic" }),
            let credentials = try configuration.credentials.credentials(for: call.repository.path, at: call.endpoint.host)
        else { return nil }
        tokens.keep(credentials.basic, for: Self.longestUse, key)
        return credentials.basic
    }

    private struct Answer: Decodable {
        let token: String?
        let access_token: String?
        let expires_in: Double?
    }

    private func token(
        for call: Call, _ realm: String, service: String?
    ) async throws(RegistryFailure) -> (token: String, time: Duration) {
        var url = try call.url.resolving(realm, "names as its token service")
        let credentials = try configuration.credentials.credentials(for: call.repository.path, at: call.endpoint.host)
        if credentials != nil, !mayShowCredentials(of: call.url, to: url) {
            throw RegistryFailure(
                .denied,
                "The registry at \(call.url.origin) names the token service \(url.origin), which is in another domain. "
                    + "Credentials are sent there only if the configuration lists its host.")
        }
        if let service { url = url.adding("service", Self.escaped(service)) }
        for scope in call.scopes { url = url.adding("scope", Self.escaped(scope)) }
        var request = HTTPClientRequest(url: url.request)
        if let credentials { request.headers.add(name: "authorization", value: credentials.basic) }
        let response = try await send(request, to: url)
        guard response.status == .ok else {
            throw await failure(response, call, from: url, "token for \(call.repository.path)")
        }
        let bytes = try await body(of: response, from: url, most: limits.pageBytes)
        let answer: Answer
        do throws(ImageProblem) {
            answer = try BoundedJSON.decode(Answer.self, from: bytes, "The answer of the token service")
        } catch {
            throw .document(error, from: "The token service \(url.origin)")
        }
        // The token becomes part of a header, so it must not have blanks or line breaks.
        guard let token = answer.token ?? answer.access_token, !token.isEmpty, token.utf8.count <= Self.longestToken,
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw RegistryFailure(.badAnswer, "The token service \(url.origin) answered without a usable token.") }
        let seconds = min(max(answer.expires_in ?? 60, 0), Self.longestUse / .seconds(1))
        return (token, .seconds(seconds * Self.usedPart))
    }

    /// Whether credentials of a registry may be sent to a token service: on the same host, in the same
    /// domain, or on a host that the configuration lists. Example: `registry-1.docker.io` and
    /// `auth.docker.io` are in the domain `docker.io`.
    func mayShowCredentials(of registry: RegistryURL, to realm: RegistryURL) -> Bool {
        if registry.host == realm.host || configuration.tokenHosts.contains(realm.host) { return true }
        let labels = registry.host.split(separator: ".")
        // The domain of a name of two labels is the name itself.
        let domain = labels.count <= 2 ? labels.joined(separator: ".") : labels.dropFirst().joined(separator: ".")
        return labels.count >= 2 && labels.last?.contains { $0.isLetter } ?? false
            && (realm.host == domain || realm.host.hasSuffix(".\(domain)"))
    }

    /// Returns the text as the value of a parameter of a query.
    static func escaped(_ text: String) -> String {
        text.utf8.reduce(into: "") { escaped, byte in
            let character = Character(UnicodeScalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-._~:/,".contains(character))
            let digits = String(byte, radix: 16, uppercase: true)
            escaped += isPlain ? String(character) : "%\(digits.count < 2 ? "0" : "")\(digits)"
        }
    }
}
