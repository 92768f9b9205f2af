import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Carries calls to the service and back: authentication, time limits, repetition, and an error for whatever is not an answer of it.
struct Transport: Sendable {
    /// More than this is not an answer of the service.
    static let largestAnswer = 64 << 20

    let server: ServerAddress
    let token: String?
    let timeout: Duration
    let http: HTTPClient
    let clock: any Clock<Duration>

    /// The answer to `call`, decoded.
    ///
    /// - Throws: ``ComposeClientError``, or `CancellationError`.
    func answer<Answer: Decodable>(_ call: Call, as type: Answer.Type = Answer.self, backoff: Backoff = .call) async throws -> Answer {
        var attempt = 0
        while true {
            do {
                return try await once(call)
            } catch let error as ComposeClientError where call.isRepeatable(after: error) {
                guard let pause = backoff.pause(attempt) else { throw error }
                attempt += 1
                try await clock.sleep(for: pause)
            }
        }
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
        let response = try await open(request)
        let body = try await reading { Data(try await response.body.collect(upTo: Self.largestAnswer).readableBytesView) }
        let status = Int(response.status.code)
        let contentType = response.headers.first(name: "Content-Type")
        guard (200..<300).contains(status) else {
            throw ComposeClientError(status: status, contentType: contentType, body: body, url: url)
        }
        do {
            return try JSONDecoder().decode(Answer.self, from: body)
        } catch let error as DecodingError {
            // Whether it is JSON at all is what is asked; why it is not would help nobody.
            guard (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) != nil else {
                throw ComposeClientError(notTheService: url, status: status, contentType: contentType, body: body)
            }
            throw ComposeClientError(unexpected: url, error)
        }
    }

    /// Sends `request`, once; the body of the response is still to be read, inside ``reading(_:)``.
    func open(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "User-Agent", value: "odcs")
        let sent = request
        return try await reading { try await http.execute(sent, timeout: TimeAmount(timeout)) }
    }

    /// Makes a ``ComposeClientError`` of whatever goes wrong on the way.
    func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch is NIOTooManyBytesError {
            throw ComposeClientError(.notTheService, "\(server) answered more than \(Self.largestAnswer >> 20) MiB")
        } catch {
            throw ComposeClientError(reaching: server.description, error)
        }
    }
}
