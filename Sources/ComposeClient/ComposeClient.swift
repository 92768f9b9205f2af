import AsyncHTTPClient
public import ComposeModel
public import Foundation
public import HTTPEnvironment
public import ImageModel
import NIOCore

/// A client of an ODCS service, over HTTP.
///
/// Every operation throws ``ComposeClientError``, whose one-line description is meant for people, or
/// `CancellationError`. If the server cannot be reached, or a gateway answers 502, 503 or 504, a call
/// that changes nothing is repeated a few times. A submission and a renewal have a key and are repeated
/// for minutes. If no server listens at the address, they are repeated for half a minute. Starting or
/// ending a watch has the same effect twice as once, so it is repeated too. A deletion is sent once.
///
/// Example: `let compose = try await ComposeClient(server: server).get(12)`
public struct ComposeClient: Sendable {
    let transport: Transport

    /// - Parameters:
    ///   - token: The bearer token of every call to `server`. It is sent to no other server. Surrounding
    ///     space is ignored.
    ///   - timeout: The time in which an answer has to begin.
    ///   - clock: The clock for the pauses between two attempts, and between two looks at a compose.
    ///   - outage: Called when the server is away and the client waits for it, and when it is back.
    ///   - tokenExpiry: Called with the time at which the token expires, for each answer that warns of it.
    public init(
        server: ServerAddress, token: String? = nil, timeout: Duration = .seconds(60), httpClient: OutboundClient = .composes,
        clock: any Clock<Duration> = ContinuousClock(), outage: @escaping @Sendable (Outage) -> Void = { _ in },
        tokenExpiry: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let token = token.map(ComposeClientError.oneLine).flatMap { $0.isEmpty ? nil : $0 }
        transport = Transport(
            server: server, token: token, timeout: timeout, http: httpClient, clock: clock, outage: outage,
            tokenExpiry: tokenExpiry)
    }

    /// The address of the service.
    public var server: ServerAddress { transport.server }

    /// Asks for a compose. Returns the compose as the service has stored it, mostly in state `wait`.
    ///
    /// If no answer comes or the service fails, the request is repeated for minutes with the same key, by
    /// which the service recognizes it. A service without such keys may make a second compose then. The
    /// reference is such a service. When this method throws, the compose may exist. A list shows it.
    ///
    /// - Parameter idempotencyKey: A key that differs from that of any other submission. An equal key
    ///   stands for the same compose.
    public func submit(
        _ submission: ComposeSubmission, idempotencyKey: String = UUID().uuidString
    ) async throws -> ComposeDocument {
        try await transport.answer(.submit(submission, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    /// A lock file from which a compose is made again.
    public enum Lock: Sendable {
        /// The content of a `compose.lock.json`.
        case file(Data)
        /// That of a compose of the service.
        case compose(Int)
    }

    /// Asks for a compose from a lock file, like ``submit(_:idempotencyKey:)``.
    ///
    /// - Parameter members: The members of the request besides `source`. Example: `seconds_to_live`.
    public func submit(
        lock: Lock, besides members: [String: any Sendable] = [:], idempotencyKey: String = UUID().uuidString
    ) async throws -> ComposeDocument {
        var body: [String: Any] = members
        switch lock {
        case .file(let content): body["source"] = ["lock": try JSONSerialization.jsonObject(with: content)]
        case .compose(let id): body["source"] = ["lock": id]
        }
        let data = try JSONSerialization.data(withJSONObject: body, options: .sortedKeys)
        return try await transport.answer(.submit(data, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    public func get(_ id: Int) async throws -> ComposeDocument {
        try await transport.answer(.get(id))
    }

    public func list(_ query: ComposeQuery = ComposeQuery()) async throws -> ComposeList {
        try await transport.answer(.list(query))
    }

    /// Makes a compose live longer. Returns the same compose, or a new one with the same inputs. The
    /// compose is a new one if the files of the old one are gone, or if `renewal` changes its content.
    ///
    /// The request is repeated as in ``submit(_:idempotencyKey:)``.
    public func renew(
        _ id: Int, _ renewal: ComposeRenewal = ComposeRenewal(), idempotencyKey: String = UUID().uuidString
    ) async throws -> ComposeDocument {
        try await transport.answer(.renew(id, renewal, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    /// Cancels a compose that is not ready, or ends the life of a ready one.
    public func delete(_ id: Int) async throws -> Acknowledgement {
        try await transport.answer(.delete(id))
    }

    /// Returns the service's description of itself.
    public func about() async throws -> ServiceDescription {
        try await transport.answer(.about)
    }
}

extension OutboundClient {
    /// The client that ``ComposeClient`` uses by default. It uses the proxies and certificates that the
    /// process's environment names. It lives as long as the process.
    public static let composes = OutboundClient.forComposes(in: .process)

    /// Returns a client for ``ComposeClient`` in another environment.
    ///
    /// It reports a refused connection at once, instead of trying until the timeout.
    public static func forComposes(in environment: HTTPEnvironment) -> OutboundClient {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(10), read: .seconds(60)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return OutboundClient(configuration, environment: environment)
    }
}

extension ComposeClient {
    /// Returns what a compose would have now. The service makes none.
    ///
    /// - Throws: ``ComposeClientError``, also if the service has no dry runs. The original ODCS would make
    ///   the compose.
    public func dryRun(_ submission: ComposeSubmission) async throws -> DryRunDocument {
        // Services with event streams have dry runs, also those that do not announce them yet.
        guard let features = try await about().features, features.contains("dry-run") || features.contains("events") else {
            throw ComposeClientError(.refused, "ODCS at \(server) has no dry runs, and would make the compose")
        }
        return try await transport.answer(.dryRun(submission))
    }

    /// Returns why a package is in a compose.
    public func why(_ id: Int, package: String) async throws -> ComposeWhyDocument {
        try await transport.answer(.why(id, package: package))
    }

    /// Returns why a package is not in a compose. This takes up to a minute.
    public func whyNot(_ id: Int, package: String) async throws -> ComposeWhyNotDocument {
        try await transport.answer(.whyNot(id, package: package))
    }

    /// Returns the difference between the packages of two composes.
    public func difference(from: Int, to: Int) async throws -> ComposeDifferenceDocument {
        try await transport.answer(.difference(from: from, to: to))
    }
}
