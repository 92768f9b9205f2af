import AsyncHTTPClient
import Foundation
import HTTPEnvironment
import NIOCore
import NIOHTTP1
import Retries

/// A transport sends calls to the service and returns their answers. It adds authentication, time
/// limits and repetition, and turns every other outcome into an error.
struct Transport: Sendable {
    /// The maximum size of an answer, in bytes. A larger one does not come from the service.
    static let largestAnswer = 64 << 20

    let server: ServerAddress
    let token: String?
    let timeout: Duration
    let http: OutboundClient
    let clock: any Clock<Duration>
    let outage: @Sendable (Outage) -> Void
    /// Called with the end of the token's life, if an answer names it.
    let tokenExpiry: @Sendable (String) -> Void

    /// Returns the decoded answer to `call`.
    func answer<Answer: Decodable>(_ call: Call, as type: Answer.Type = Answer.self, patience: Patience = .brief) async throws -> Answer {
        do {
            return try await persisting(patience, if: { call.isRepeatable(after: $0, patience: patience) }) { try await once(call) }
        } catch let error as ComposeClientError where error.status == 404 && !call.isOfOriginal {
            // Only this makes clear why the service has nothing there. Its words alone are about an address.
            guard let service: ServiceDescription = try? await once(.about), service.features == nil else { throw error }
            throw ComposeClientError(
                .refused,
                "ODCS at \(server) has the version \(service.version), which does not know this request. The original ODCS and old versions "
                    + "know only composes. It answered: \(error.description)", status: 404)
        }
    }

    /// Repeats an exchange while the service is away, and reports the outage.
    ///
    /// - Parameter isRepeatable: Returns whether repeating the exchange after an error may help.
    func persisting<Value>(
        _ patience: Patience, if isRepeatable: (ComposeClientError) -> Bool, _ exchange: () async throws -> Value
    ) async throws -> Value {
        var isWaiting = false
        func pause(_ error: any Error, _ attempt: Int) -> Duration? {
            guard let error = error as? ComposeClientError, isRepeatable(error),
                let pause = patience.schedule(after: error).pause(after: attempt)
            else { return nil }
            // A short outage is not reported.
            if attempt == 2, patience != .brief {
                isWaiting = true
                outage(.began(error))
            }
            return pause
        }
        let value = try await retrying(clock: clock, canceled: CancellationError() as any Error, pause: pause) { try await exchange() }
        if isWaiting { outage(.ended) }
        return value
    }

    private func once<Answer: Decodable>(_ call: Call) async throws -> Answer {
        let url = server.url(call.path, query: call.query)
        var request = HTTPClientRequest(url: url)
        request.method = call.method
        request.headers.add(name: "Accept", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let key = call.idempotencyKey { request.headers.add(name: "Idempotency-Key", value: key) }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        if let upload = call.upload {
            request.headers.add(name: "Content-Type", value: upload.contentType)
            request.body = upload.body
        }
        let response = try await open(request, more: call.upload?.time ?? .zero)
        let body = try await collect(response)
        let status = Int(response.status.code)
        let contentType = response.headers.first(name: "Content-Type")
        guard (200..<300).contains(status) else {
            throw ComposeClientError(status: status, contentType: contentType, body: body, url: url)
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: body)
        } catch let error as DecodingError {
            // This only checks whether the answer is JSON. The reason why it is not would not help the user.
            guard (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) != nil else {
                throw ComposeClientError(notTheService: url, status: status, contentType: contentType, body: body)
            }
            throw ComposeClientError(unexpected: url, error)
        }
    }

    /// Sends `request` once, and again after each redirect. The caller has to read the body of the response
    /// inside ``reading(_:)``.
    ///
    /// - Parameter more: The time that the answer may take beside the usual one.
    func open(_ request: HTTPClientRequest, more: Duration = .zero) async throws -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "User-Agent", value: "odcs")
        for _ in 0...Redirect.most {
            let sent = request
            let response = try await reading { try await http.execute(sent, timeout: TimeAmount(timeout + more)) }
            guard let redirect = Redirect(response, of: request) else {
                if token != nil, let end = response.headers.first(name: "Odcs-Token-Expires") { tokenExpiry(end) }
                return response
            }
            request = redirect.request
        }
        throw ComposeClientError(.unreachable, "cannot reach ODCS at \(server): it redirects in circles")
    }

    /// Returns the body of an answer. Throws if it is larger or slower than any answer of the service.
    func collect(_ response: HTTPClientResponse) async throws -> Data {
        let start = ContinuousClock.now
        var body = Data()
        var buffers = response.body.makeAsyncIterator()
        while let buffer = try await reading({ try await buffers.next() }) {
            body.append(contentsOf: buffer.readableBytesView)
            guard body.count <= Self.largestAnswer else {
                throw ComposeClientError(.notTheService, "\(server) answered more than \(Self.largestAnswer >> 20) MiB")
            }
            guard ContinuousClock.now - start < timeout * 5 else {
                throw ComposeClientError(.timedOut, "ODCS at \(server) did not complete its answer in time")
            }
        }
        return body
    }

    /// Runs `body` and turns every error on the way into a ``ComposeClientError``. A cancellation stays a
    /// `CancellationError`.
    func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch {
            throw ComposeClientError(reaching: server.description, error)
        }
    }
}
