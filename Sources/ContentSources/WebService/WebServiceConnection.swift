import AsyncHTTPClient
import ComposeModel
import Foundation
import HTTPEnvironment
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Retries

/// A connection to a web service. It repeats a request while failures are transient, bounds the size of
/// answers, and turns errors into explanations.
struct WebServiceConnection: Sendable {
    let service: WebService
    /// `nil` for the HTTP client's own configuration.
    let tls: TLSConfiguration?
    let client: OutboundClient
    let logger: Logger

    /// Returns the answer to `question`. Throws `.sourceNotUsable` if the service says that there is no
    /// such resource.
    func decode<Answer: Decodable & Sendable>(_ type: Answer.Type, from question: WebServiceQuestion) async throws(ComposeFailure) -> Answer
    {
        guard let answer = try await decodeIfThere(type, from: question) else { throw service.noAPI }
        return answer
    }

    /// Returns the answer to `question`, or `nil` if the service says that there is no such resource.
    func decodeIfThere<Answer: Decodable & Sendable>(_ type: Answer.Type, from question: WebServiceQuestion) async throws(ComposeFailure)
        -> Answer?
    {
        guard let body = try await ask(question) else { return nil }
        let service = service
        // The answer is parsed on the thread pool, because the largest pages of a list have megabytes.
        return try await NIOThreadPool.singleton.run(canceled: .canceled) { () throws(ComposeFailure) in
            do {
                return try ForeignJSON.decode(Answer.self, from: body.readableBytesView)
            } catch {
                throw service.unreadable(body, error)
            }
        }
    }

    private func ask(_ question: WebServiceQuestion) async throws(ComposeFailure) -> ByteBuffer? {
        try await SourceWaits.waiting(for: service.api.origin) { () async throws(ComposeFailure) in
            try await askPersistently(question)
        }
    }

    private func askPersistently(_ question: WebServiceQuestion) async throws(ComposeFailure) -> ByteBuffer? {
        func pause(_ failure: ComposeFailure, _ attempt: Int) -> Duration? {
            guard failure.isTransient, attempt < service.limits.attempts else { return nil }
            logger.info(
                "A web service is asked again",
                metadata: ["service": "\(service.name)", "attempt": "\(attempt)", "reason": "\(failure.message)"])
            return service.limits.backoff.pause(after: attempt)
        }
        return try await retrying(canceled: .canceled, pause: pause) { () async throws(ComposeFailure) in
            try await exchangeInTime(question)
        }
    }

    /// Makes one request within the time limit for a whole answer. The HTTP client's own limits are for
    /// silence only, and would let an answer drip without end.
    private func exchangeInTime(_ question: WebServiceQuestion) async throws(ComposeFailure) -> ByteBuffer? {
        let limit = service.limits.answerTime
        let outcome = await withTaskGroup(of: Result<ByteBuffer?, ComposeFailure>.self) { group in
            group.addTask {
                do throws(ComposeFailure) {
                    return .success(try await exchange(question))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do {
                    try await longSleep(for: limit)
                } catch {
                    return .failure(.canceled)
                }
                return .failure(service.unreachable("it did not answer completely within \(limit / .seconds(1)) seconds"))
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .failure(.canceled)
        }
        return try outcome.get()
    }

    /// Makes one request. Returns the body of an answer with status 200, or `nil` for status 404. Throws
    /// for every other status.
    private func exchange(_ question: WebServiceQuestion) async throws(ComposeFailure) -> ByteBuffer? {
        var request = HTTPClientRequest(url: question.url(below: service.api))
        request.tlsConfiguration = tls
        request.headers.add(name: "user-agent", value: "odcs")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "accept-encoding", value: "identity")
        if let authorization = service.authentication.header { request.headers.add(name: "authorization", value: authorization) }
        if let body = question.body {
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(body)
        }
        let response: HTTPClientResponse
        do {
            // The call has no logger, because the client would log the request with its credentials.
            response = try await client.execute(request, timeout: TimeAmount(service.limits.answerTime))
        } catch {
            throw service.noAnswer(error)
        }
        SourceWaits.answered()
        let body = try await receive(response)
        switch response.status.code {
        case 200: return body
        case 404: return nil
        case let status: throw service.refusal(status, body)
        }
    }

    private func receive(_ response: HTTPClientResponse) async throws(ComposeFailure) -> ByteBuffer {
        let limit = service.limits.answerBytes
        if let announced = response.headers.first(name: "content-length").flatMap({ Int($0) }), announced > limit {
            throw service.tooLarge
        }
        var body = ByteBuffer()
        var chunks = response.body.makeAsyncIterator()
        while true {
            let chunk: ByteBuffer?
            do {
                chunk = try await chunks.next()
            } catch {
                throw service.cut(error)
            }
            guard var chunk else { break }
            SourceWaits.received(chunk.readableBytes)
            guard body.readableBytes + chunk.readableBytes <= limit else { throw service.tooLarge }
            body.writeBuffer(&chunk)
        }
        // The body of a canceled request ends as if it were complete.
        if Task.isCancelled { throw .canceled }
        return body
    }
}
