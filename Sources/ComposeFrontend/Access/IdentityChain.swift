import HTTPTypes
import Hummingbird
public import Identity

/// An identity chain asks identity providers, in their order, for the sender of a request.
///
/// Of several kinds of credentials in one request, one counts: `Authorization` or `X-API-Key`, then the
/// client certificate, then the header of a trusted proxy. The others are not a second chance.
public struct IdentityChain: Sendable {
    public var providers: [any IdentityProvider]
    let failures = IdentityFailures()

    public init(_ providers: [any IdentityProvider]) {
        self.providers = providers
    }

    /// Returns the sender. Returns `nil` if the request has no credentials that could count.
    ///
    /// - Throws: ``RequestRejection`` with status 400, 401, 403 or 503.
    func identity(_ credentials: Credentials) async throws(RequestRejection) -> Identity? {
        if let authorization = credentials.authorization {
            let counting = Credentials(authorization: authorization, address: credentials.address)
            guard let identity = try await asked(counting) else {
                throw unauthorized(
                    .unknownKind, "This service does not know credentials of the kind \(authorization.kind). It takes those of: \(names).")
            }
            return identity
        }
        if let certificate = credentials.certificate,
            let identity = try await asked(Credentials(certificate: certificate, address: credentials.address))
        {
            return identity
        }
        guard !credentials.proxyHeaders.isEmpty else { return nil }
        return try await asked(Credentials(proxyHeaders: credentials.proxyHeaders, address: credentials.address))
    }

    private func asked(_ credentials: Credentials) async throws(RequestRejection) -> Identity? {
        for provider in providers {
            do throws(CredentialFailure) {
                guard let identity = try await provider.identity(credentials) else { continue }
                failures.recordAnswer(of: provider.name)
                return identity
            } catch {
                failures.record(error, of: provider.name)
                var rejection = rejection(error)
                rejection.provider = provider.name
                throw rejection
            }
        }
        return nil
    }

    func rejection(_ failure: CredentialFailure) -> RequestRejection {
        switch failure {
        case .malformed(let message): .badRequest(message)
        case .wrong(let message): unauthorized(.wrongCredentials, message)
        case .forbidden(let message): RequestRejection(.forbidden, .account, message)
        case .unavailable(let message, let seconds):
            RequestRejection(.serviceUnavailable, message, headers: [.retryAfter: "\(seconds)"])
        }
    }

    /// Returns the rejection with status 401, which has the challenge of each provider in a line of its
    /// own.
    func unauthorized(_ reason: RefusalReason, _ message: String) -> RequestRejection {
        var headers = HTTPFields()
        var known: Set<String> = []
        for challenge in providers.compactMap(\.challenge) where known.insert(challenge).inserted {
            headers.append(HTTPField(name: .wwwAuthenticate, value: challenge))
        }
        return RequestRejection(.unauthorized, reason, message, headers: headers)
    }

    /// The names of the providers, for messages.
    var names: String { providers.map(\.name).joined(separator: ", ") }
}

extension Credentials.Authorization {
    /// The name of the kind in messages.
    fileprivate var kind: String {
        switch self {
        case .bearer: "Bearer"
        case .negotiate: "Negotiate"
        case .basic: "Basic"
        }
    }
}
