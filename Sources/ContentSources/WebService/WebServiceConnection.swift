import AsyncHTTPClient
import ComposeModel
import Foundation
import HTTPEnvironment
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks a web service, as often as it takes, and brings back bounded answers; what goes wrong becomes an explanation here.
struct WebServiceConnection: Sendable {
    let service: WebService
    /// `nil`: the HTTP client's own.
    let tls: TLSConfiguration?
    let client: OutboundClient
    let logger: Logger

    /// The answer to `question`; there must be one.
    func decode<Answer: Decodable & Sendable>(_ type: Answer.Type, from question: WebServiceQuestion) async throws(ComposeFailure) -> Answer
    {
        guard let answer = try await decodeIfThere(type, from: question) else { throw service.noAPI }
        return answer
    }

    /// The answer to `question`; `nil` when the service says that there is no such resource.
    func decodeIfThere<Answer: Decodable & Sendable>(_ type: Answer.Type, from question: WebServiceQuestion) async throws(ComposeFailure)
        -> Answer?
    {
        guard let body = try await ask(question) else { return nil }
        let service = service
        // A page of the largest answers has megabytes.
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
        var attempt = 1
        while true {
            let failure: ComposeFailure
            do throws(ComposeFailure) {
                return try await exchangeInTime(question)
            } catch {
                failure = Task.isCancelled ? .canceled : error
            }
            guard failure.isTransient, attempt < service.limits.attempts else { throw failure }
            logger.info(
                "A web service is asked again",
                metadata: ["service": "\(service.name)", "attempt": "\(attempt)", "reason": "\(failure.message)"])
            do {
                try await Task.sleep(for: service.limits.pause(after: attempt))
            } catch {
                throw .canceled
            }
            attempt += 1
        }
    }

    /// The HTTP client's own time limits are for silence; this one is for an answer as a whole, so that one that drips ends as well.
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
                    try await Task.sleep(for: limit)
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

    /// One request and its answer: the body of status 200, `nil` for 404.
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
            // Without a logger: the client would write the request down, and that has the credentials.
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
