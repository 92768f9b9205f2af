import AsyncHTTPClient
import HTTPEnvironment
import Logging
import NIOCore
import NIOHTTP1
import Retries

/// A connection to one hub. It sends calls, repeats them after transient failures, and explains why no
/// answer came.
struct HubConnection: Sendable {
    let profile: KojiProfile
    let limits: KojiLimits
    private let client: OutboundClient
    let logger: Logger
    let clock: any Clock<Duration>

    init(_ profile: KojiProfile, limits: KojiLimits, logger: Logger, clock: any Clock<Duration>) throws(KojiError) {
        self.profile = profile
        self.limits = limits
        self.logger = logger
        self.clock = clock
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try profile.tlsConfiguration(), redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(limits.connectTimeout), read: TimeAmount(limits.silence)), decompression: .disabled)
        // This type counts the attempts. Retries of the client itself would hide a refused connection until
        // the timeout.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = OutboundClient(configuration)
    }

    func close() async throws { try await client.shutdown() }

    /// Makes `call` and returns the sink with the answer in it. Each attempt begins with a new sink, so the
    /// rows of an answer that broke off are forgotten.
    ///
    /// - Parameter bytes: The most bytes of the answer that are accepted.
    /// - Throws: ``KojiError``, or the error that the sink's owner threw.
    func answer<Sink: ValueSink>(_ call: XMLRPCCall, bytes: Int, into makeSink: () -> Sink) async throws -> Sink {
        let body = ByteBuffer(bytes: try call.encoded())
        return try await SourceWaits.waiting(for: profile.origin) {
            try await answer(call.method, body, bytes: bytes, into: makeSink)
        }
    }

    private func answer<Sink: ValueSink>(
        _ method: String, _ body: ByteBuffer, bytes: Int, into makeSink: () -> Sink
    ) async throws -> Sink {
        func pause(_ error: any Error, _ attempt: Int) -> Duration? {
            guard let error = error as? KojiError, error.isTransient, attempt < limits.attempts else { return nil }
            logger.info(
                "A call of the Koji hub is made again",
                metadata: [
                    "hub": "\(profile.origin)", "method": "\(method)", "attempt": "\(attempt)", "reason": "\(error.message)",
                ])
            return limits.backoff.pause(after: attempt)
        }
        return try await retrying(clock: clock, canceled: Self.canceled as any Error, pause: pause) {
            try await once(method, body, bytes: bytes, into: makeSink())
        }
    }

    private static let canceled = KojiError(.canceled, "The call of the Koji hub was canceled.")

    private func once<Sink: ValueSink>(_ method: String, _ body: ByteBuffer, bytes: Int, into sink: Sink) async throws -> Sink {
        let begin = ContinuousClock.now
        var request = HTTPClientRequest(url: profile.hub)
        request.method = .POST
        request.headers.add(name: "User-Agent", value: "odcs")
        request.headers.add(name: "Content-Type", value: "text/xml")
        request.headers.add(name: "Accept", value: "text/xml")
        request.body = .bytes(body)
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: TimeAmount(limits.connectTimeout + limits.silence), logger: logger)
        } catch {
            throw explain(error, method)
        }
        SourceWaits.answered()
        guard response.status == .ok else { throw await refusal(response, method) }
        let kind = response.headers.first(name: "content-type")?.lowercased() ?? ""
        guard !kind.hasPrefix("text/html") else { throw notKoji(method) }
        if let length = response.headers.first(name: "content-length").flatMap({ Int($0) }), length > bytes {
            throw KojiError(
                .tooLarge,
                "\(profile.hubName) announced an answer of \(length) bytes to \(method); this service accepts at most \(bytes).")
        }
        return try await read(response, method, bytes: bytes, into: sink, since: begin)
    }

    private func read<Sink: ValueSink>(
        _ response: HTTPClientResponse, _ method: String, bytes: Int, into sink: Sink, since begin: ContinuousClock.Instant
    ) async throws -> Sink {
        let reader = AnswerReader(
            sink, limits: AnswerLimits(bytes: bytes, textBytes: min(bytes, limits.textBytes), depth: limits.depth))
        var chunks = response.body.makeAsyncIterator()
        var received = 0
        while true {
            let chunk: ByteBuffer?
            do { chunk = try await chunks.next() } catch { throw explain(error, method, received: received) }
            guard let chunk else { break }
            received += chunk.readableBytes
            SourceWaits.received(chunk.readableBytes)
            do {
                try chunk.withUnsafeReadableBytes { try reader.read($0) }
            } catch let problem as AnswerProblem {
                throw explain(problem, method, received: received)
            }
            guard ContinuousClock.now - begin <= limits.wholeAnswer else {
                throw KojiError(
                    .unreachable,
                    "\(profile.hubName) had sent \(received) bytes of its answer to \(method) after \(limits.wholeAnswer.inWords), and was not done.",
                    isTransient: true)
            }
        }
        // The body of a canceled request ends like a complete one.
        if Task.isCancelled { throw Self.canceled }
        do { return try reader.finish() } catch { throw explain(error, method, received: received) }
    }
}

// Explanations.
extension HubConnection {
    func explain(_ problem: AnswerProblem, _ method: String, received: Int) -> any Error {
        switch problem {
        case .caller(let error): error
        case .fault(let fault): KojiError(fault: fault, method: method, hub: profile.hubName)
        case .malformed(let what): unusable(.malformed, method, what)
        case .unexpected(let what): unusable(.unexpected, method, what)
        case .tooLarge(let what): unusable(.tooLarge, method, what)
        case .html: notKoji(method)
        case .notXMLRPC(let what): unusable(.notKoji, method, what)
        case .truncated: cut(method, received)
        }
    }

    private func unusable(_ code: KojiError.Code, _ method: String, _ what: String) -> KojiError {
        KojiError(code, "The answer of the Koji hub at \(profile.origin) to \(method) cannot be used: \(what).")
    }

    private func notKoji(_ method: String) -> KojiError {
        KojiError(
            .notKoji,
            "\(profile.hubName) answered \(method) with a page of HTML: either its address is not that of the hub, which often ends in /kojihub, or something before the hub answered in its place."
        )
    }

    private func cut(_ method: String, _ received: Int) -> KojiError {
        KojiError(
            .truncated, "\(profile.hubName) broke off its answer to \(method) after \(received) bytes.", isTransient: true)
    }

    /// Returns the error for an answer with a status other than 200.
    private func refusal(_ response: HTTPClientResponse, _ method: String) async -> KojiError {
        let status = "the status \(response.status.code) (\(response.status.reasonPhrase))"
        switch response.status.code {
        case 408, 425, 429, 500...599:
            return KojiError(.unreachable, "\(profile.hubName) answered \(method) with \(status).", isTransient: true)
        case 401, 403:
            return KojiError(
                .refused,
                "\(profile.hubName) answered \(method) with \(status); it may want a client certificate (authtype = ssl and cert).")
        case 301, 302, 303, 307, 308:
            let target = response.headers.first(name: "location").map { "to \(Excerpt.of($0))" } ?? "elsewhere"
            return KojiError(.refused, "\(profile.hubName) redirects \(target); its address has to be the one that answers itself.")
        case 404, 410:
            return KojiError(.refused, "\(profile.hubName) answered \(method) with \(status): its address is not that of a hub.")
        default:
            // The hub explains itself in a line of plain text. If there is no such line, the message has only the
            // status.
            let text = try? await response.body.collect(upTo: 4096)
            let isPlain = response.headers.first(name: "content-type")?.hasPrefix("text/plain") ?? false
            let words = isPlain ? text.map { Excerpt.of($0.readableBytesView) } : nil
            return KojiError(.refused, "\(profile.hubName) answered \(method) with \(status)\(words.map { ": \($0)" } ?? "").")
        }
    }

    /// Returns the error for an answer that did not come, or that broke off after `received` bytes.
    private func explain(_ error: any Error, _ method: String, received: Int = 0) -> KojiError {
        if Task.isCancelled { return Self.canceled }
        logger.info(
            "A call of the Koji hub failed",
            metadata: ["hub": "\(profile.origin)", "method": "\(method)", "received": "\(received)", "error": "\(error)"])
        let problem = NetworkProblem(error)
        switch problem {
        case .tls:
            return KojiError(
                .refused,
                "\(profile.hubName) and this service do not trust each other's TLS certificates: serverca has to name the authority that signed the hub's, and a hub that asks for a client certificate needs cert."
            )
        case .answerTimeout where received > 0:
            return KojiError(
                .unreachable,
                "\(profile.hubName) sent \(received) bytes of its answer to \(method) and then nothing for \(limits.silence.inWords).",
                isTransient: true)
        case _ where received > 0: return cut(method, received)
        default:
            let words = problem.words(to: method, connecting: limits.connectTimeout, answering: limits.silence)
            return KojiError(.unreachable, "\(profile.hubName) \(words).", isTransient: true)
        }
    }
}
