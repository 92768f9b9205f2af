import ForeignText
import Identity
public import Logging
public import ServiceLifecycle

/// An issuer is an identity provider that issues tokens, with the data known of it: its metadata and
/// keys.
///
/// The keys are read at the start, then every 15 minutes, and when a token names an unknown key. If
/// the issuer does not answer, its last keys are used for a day.
public actor Issuer: Service {
    private static let refreshPause = Duration.seconds(900)
    /// The pause between two attempts as long as there are no keys.
    private static let retryPause = Duration.seconds(10)
    /// The least time between two requests for the keys that unknown keys of tokens cause. Tokens with
    /// invented keys therefore cost nothing.
    private static let unknownKeyPause = Duration.seconds(30)
    /// The time for which keys are used without an answer of the issuer.
    private static let longestUse = Duration.seconds(86_400)

    public nonisolated let url: ProviderURL
    nonisolated let connection: ProviderConnection
    nonisolated let clocks: ProviderClocks
    /// The name in log lines and sentences. Example: `openid.sso`.
    private nonisolated let name: String
    private nonisolated let algorithms: [SigningAlgorithm]
    private nonisolated let logger: Logger

    private struct Known {
        var metadata: IssuerMetadata
        var keys: SigningKeySet
        var time: Duration
    }

    private var known: Known?
    private var lastAttempt: Duration?
    private var lastFailure: ProviderFailure?
    private var lastLog: Duration?
    private var refreshing: Task<Void, Never>?

    /// - Parameters:
    ///   - algorithms: The algorithms whose signatures are accepted.
    ///   - connection: The connection to the issuer. Its owner shuts it down.
    public init(
        _ url: ProviderURL, name: String, algorithms: [SigningAlgorithm] = [.rs256, .es256], connection: ProviderConnection,
        clocks: ProviderClocks = .system, logger: Logger
    ) {
        self.url = url
        self.name = name
        self.algorithms = algorithms
        self.connection = connection
        self.clocks = clocks
        self.logger = logger
    }

    /// Keeps the keys fresh until the graceful shutdown.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await refresh()
                // The error of a sleep says that the service ends.
                try? await clocks.pauses.sleep(for: await isKnown ? Self.refreshPause : Self.retryPause)
            }
        }
    }

    /// Whether the last request for the keys succeeded.
    public var isUp: Bool { lastFailure == nil && known != nil }

    private var isKnown: Bool { known != nil }

    /// Checks the signature of a token.
    ///
    /// - Throws: ``CredentialFailure/unavailable(_:retryAfter:)`` if the keys are not known and cannot be
    ///   read, or ``CredentialFailure/wrong(_:)`` if no key has signed the token.
    func verify(_ token: SignedToken) async throws(CredentialFailure) {
        let wrong = CredentialFailure.wrong("The token's signature is not that of a key of its issuer.")
        guard algorithms.contains(token.algorithm) else {
            throw .wrong("The token is not signed by an algorithm that this server accepts.")
        }
        var keys = try await knowledge().keys
        if !keys.hasKey(token.keyID, token.algorithm) {
            if mayRefresh(after: Self.unknownKeyPause) { await refresh() }
            keys = try await knowledge().keys
            guard keys.hasKey(token.keyID, token.algorithm) else {
                // The key may be new, which only the issuer can tell.
                if let lastFailure { throw lastFailure.credentialFailure(of: name) }
                throw wrong
            }
        }
        guard keys.verifies(token) else { throw wrong }
    }

    func metadata() async throws(CredentialFailure) -> IssuerMetadata { try await knowledge().metadata }

    private func knowledge() async throws(CredentialFailure) -> Known {
        if let known, clocks.uptime() - known.time < Self.longestUse { return known }
        if mayRefresh(after: Self.retryPause) { await refresh() }
        if let known, clocks.uptime() - known.time < Self.longestUse { return known }
        throw (lastFailure ?? ProviderFailure("\(url) was not asked yet")).credentialFailure(of: name)
    }

    private func mayRefresh(after pause: Duration) -> Bool {
        guard refreshing == nil, let lastAttempt else { return true }
        return clocks.uptime() - lastAttempt >= pause
    }

    /// Reads metadata and keys, or waits for the reading that another caller has begun.
    private func refresh() async {
        if let refreshing { return await refreshing.value }
        lastAttempt = clocks.uptime()
        // The reading serves all that wait for it, so the end of one of them must not cancel it.
        let task = Task { await read() }
        refreshing = task
        await task.value
        refreshing = nil
    }

    private func read() async {
        do throws(ProviderFailure) {
            guard let address = IssuerMetadata.address(of: url) else { throw ProviderFailure("\(url) is too long") }
            let metadata = try IssuerMetadata(try await connection.get(address), of: url)
            let keys = try await SigningKeySet(try await connection.get(metadata.keys), algorithms: algorithms)
            guard !keys.isEmpty else { throw ProviderFailure("the key set of \(url) has no key that this server accepts") }
            if lastFailure != nil { logger.notice("the identity provider answers again", metadata: ["provider": "\(name)"]) }
            known = Known(metadata: metadata, keys: keys, time: clocks.uptime())
            (lastFailure, lastLog) = (nil, nil)
        } catch {
            // A refusal of this request says nothing about a token.
            lastFailure = ProviderFailure(error.description)
            report(error)
        }
    }

    /// Logs a failure at most once a minute.
    private func report(_ failure: ProviderFailure) {
        let now = clocks.uptime()
        if let lastLog, now - lastLog < .seconds(60) { return }
        lastLog = now
        logger.error(
            "the identity provider cannot be asked",
            metadata: [
                "provider": "\(name)", "reason": "\(failure.description.printable(most: 500))",
                "keys": known == nil ? "none" : "the last ones",
            ])
    }
}
