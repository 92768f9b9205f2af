import AsyncHTTPClient
public import ComposeModel
public import Foundation
public import HTTPEnvironment
import NIOCore

/// Asks an ODCS service for composes, over HTTP.
///
/// Every operation throws ``ComposeClientError`` with a line that a person can be shown, or `CancellationError`. What changes nothing is tried
/// again a few times when the server cannot be reached or a gateway says 502, 503 or 504. A submission and a renewal, which have a key, are tried
/// for minutes. The beginning and the end of a watch are the same twice as once and are repeated too. A deletion is sent once.
public struct ComposeClient: Sendable {
    let transport: Transport

    /// - Parameters:
    ///   - token: sent as a bearer token with every call to `server`, and to nothing else. Space around it does not count.
    ///   - timeout: how long one answer may take to begin.
    ///   - clock: for the pauses between two attempts, and between two looks at a compose.
    ///   - outage: is told when the server is away and is waited for, and when it is back.
    public init(
        server: ServerAddress, token: String? = nil, timeout: Duration = .seconds(60), httpClient: OutboundClient = .composes,
        clock: any Clock<Duration> = ContinuousClock(), outage: @escaping @Sendable (Outage) -> Void = { _ in }
    ) {
        let token = token.map(ComposeClientError.oneLine).flatMap { $0.isEmpty ? nil : $0 }
        transport = Transport(server: server, token: token, timeout: timeout, http: httpClient, clock: clock, outage: outage)
    }

    /// The service that is asked.
    public var server: ServerAddress { transport.server }

    /// Asks for a compose; the answer is the compose as it was written down, mostly in state `wait`.
    ///
    /// It is sent again for minutes when no answer comes or the service fails, with the same key, by which the service knows it. A service
    /// without such keys (the reference has none) may make a second compose then. When this throws, the compose may exist, and a list shows it.
    ///
    /// - Parameter idempotencyKey: unlike that of any other submission, unless it is to be the same compose.
    public func submit(
        _ submission: ComposeSubmission, idempotencyKey: String = UUID().uuidString
    ) async throws -> ComposeDocument {
        try await transport.answer(.submit(submission, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    public func get(_ id: Int) async throws -> ComposeDocument {
        try await transport.answer(.get(id))
    }

    public func list(_ query: ComposeQuery = ComposeQuery()) async throws -> ComposeList {
        try await transport.answer(.list(query))
    }

    /// Makes a compose live longer. The answer is the same compose, or a new one with the same inputs where the old one's files are gone or
    /// `renewal` changes what is in it.
    ///
    /// It is sent again as ``submit(_:idempotencyKey:)`` is.
    public func renew(
        _ id: Int, _ renewal: ComposeRenewal = ComposeRenewal(), idempotencyKey: String = UUID().uuidString
    ) async throws -> ComposeDocument {
        try await transport.answer(.renew(id, renewal, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    /// Cancels a compose that is not ready, or ends the life of one that is.
    public func delete(_ id: Int) async throws -> Acknowledgement {
        try await transport.answer(.delete(id))
    }

    /// What the service says of itself.
    public func about() async throws -> ServiceDescription {
        try await transport.answer(.about)
    }

    /// Looks at a compose until its state is final; each element differs from the one before it, and the last one is final.
    public func wait(_ id: Int) -> some AsyncSequence<ComposeDocument, any Error> & Sendable {
        follow(id, log: false).compactMap { event in
            if case .changed(let compose) = event { compose } else { nil }
        }
    }

    /// The lines of a compose's log as they are written, until its state is final.
    ///
    /// - Throws: also when the log cannot be read; a log that does not exist (yet) has no lines.
    public func log(_ id: Int) -> some AsyncSequence<String, any Error> & Sendable {
        follow(id, log: true).compactMap { event in
            switch event {
            case .logged(let line): line
            case .logUnreadable(let error): throw error
            case .changed, .unchanged: nil
            }
        }
    }

    /// Everything that happens to a compose until its state is final.
    public func follow(_ id: Int, log: Bool) -> ComposeEvents {
        ComposeEvents(id: id, includesLog: log, transport: transport)
    }
}

extension OutboundClient {
    /// The client that ``ComposeClient`` uses unless told otherwise, on the ways that the process's environment says. It lives as long as the
    /// process.
    public static let composes = OutboundClient.forComposes(in: .process)

    /// A client for ``ComposeClient`` in another environment.
    ///
    /// It says at once that a connection is refused, instead of trying until the time is over.
    public static func forComposes(in environment: HTTPEnvironment) -> OutboundClient {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(10), read: .seconds(60)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return OutboundClient(configuration, environment: environment)
    }
}
