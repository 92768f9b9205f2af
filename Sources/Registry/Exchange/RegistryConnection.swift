import AsyncHTTPClient
import HTTPEnvironment
import ImageModel
import Logging
import NIOCore
import NIOHTTP1
import Retries

/// The exchange of requests and answers with registries: authorization, redirects, bounds and retries.
struct RegistryConnection: Sendable {
    private static let longestRedirectChain = 5

    let client: OutboundClient
    let configuration: RegistryConfiguration
    let tokens: TokenCache
    let clock: any Clock<Duration>
    let logger: Logger

    var limits: RegistryLimits { configuration.limits }

    /// Runs `operation` until it succeeds, fails for a permanent reason or has run often enough.
    func persistently<Value>(
        _ purpose: String, _ operation: () async throws(RegistryFailure) -> Value
    ) async throws(RegistryFailure) -> Value {
        try await retrying(clock: clock, canceled: .canceled) { failure, attempt in
            let pause = limits.pause(after: failure, attempt: attempt)
            if pause != nil {
                logger.info(
                    "A registry is asked again",
                    metadata: ["purpose": "\(purpose)", "attempt": "\(attempt)", "reason": "\(failure.message)"])
            }
            return pause
        } operation: { () async throws(RegistryFailure) in
            try await operation()
        }
    }

    /// Makes a call, and returns the answer with any status. If the registry asks for authorization, the
    /// call is made a second time with it.
    func respond(to call: Call) async throws(RegistryFailure) -> HTTPClientResponse {
        let key = TokenCache.Key(origin: call.url.origin, scopes: call.scopes)
        let (response, place) = try await follow(call, tokens[key])
        // A challenge of another host is not answered, because it must not see credentials.
        guard response.status == .unauthorized, place.hasSameOrigin(as: call.url) else { return response }
        tokens.forget(key)
        let challenges = Challenge.all(in: response.headers["www-authenticate"])
        guard let authorization = try await authorization(for: call, challenges, key) else { return response }
        // The body is read so that the connection can be used again. It can be read only once.
        _ = try? await body(of: response, from: place, most: 64 << 10)
        return try await follow(call, authorization).response
    }

    /// Makes a call, and follows redirects if the call allows them.
    private func follow(
        _ call: Call, _ authorization: String?
    ) async throws(RegistryFailure) -> (response: HTTPClientResponse, place: RegistryURL) {
        var url = call.url
        for _ in 0...Self.longestRedirectChain {
            var request = HTTPClientRequest(url: url.request)
            request.method = call.method
            request.headers = call.headers
            if let authorization, url.hasSameOrigin(as: call.url) { request.headers.add(name: "authorization", value: authorization) }
            request.body = call.body?()
            let response = try await send(request, to: url, bodyBytes: call.bodyBytes)
            guard call.followsRedirects, [301, 302, 303, 307, 308].contains(response.status.code),
                let location = response.headers.first(name: "location")
            else { return (response, url) }
            url = try url.resolving(location, "redirects to")
        }
        throw RegistryFailure(.badAnswer, "The registry at \(call.url.origin) redirects more than \(Self.longestRedirectChain) times.")
    }

    /// Sends one request.
    func send(_ request: HTTPClientRequest, to url: RegistryURL, bodyBytes: Int = 0) async throws(RegistryFailure) -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "user-agent", value: "odcs")
        // Digests and ranges refer to the bytes as they are stored.
        request.headers.add(name: "accept-encoding", value: "identity")
        let time = limits.connectTime + limits.answerTime + .seconds(bodyBytes / max(1, limits.minimumRate))
        do {
            // The call has no logger, because the client would log the request with its credentials.
            let response = try await SourceWaits.waiting(for: url.origin) {
                try await client.execute(request, timeout: TimeAmount(time))
            }
            SourceWaits.answered()
            return response
        } catch {
            if Task.isCancelled { throw .canceled }
            throw .network(error, at: url.origin)
        }
    }

    /// Reads the body of an answer that is not a blob.
    func body(of response: HTTPClientResponse, from url: RegistryURL, most: Int) async throws(RegistryFailure) -> [UInt8] {
        let tooLarge = RegistryFailure(.limitExceeded, "The answer of the registry at \(url.origin) is larger than \(most) bytes.")
        if let announced = response.headers.first(name: "content-length").flatMap({ Int($0) }), announced > most { throw tooLarge }
        let end = ContinuousClock.now + limits.answerTime
        var body: [UInt8] = []
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
            } catch {
                if Task.isCancelled { throw .canceled }
                throw .network(error, at: url.origin)
            }
            guard let piece else { break }
            SourceWaits.received(piece.readableBytes)
            guard piece.readableBytes <= most - body.count else { throw tooLarge }
            guard ContinuousClock.now < end else { throw .unreachable("\(url.origin) did not answer completely in time") }
            body += piece.readableBytesView
        }
        // The body of a canceled request ends as if it were complete.
        if Task.isCancelled { throw .canceled }
        return body
    }
}

extension RegistryLimits {
    /// Returns the pause after a failed attempt, or nil if no further attempt is made. The pause is
    /// shortened at random by up to half, but not below the pause that the registry asked for.
    func pause(after failure: RegistryFailure, attempt: Int) -> Duration? {
        guard failure.isTransient, attempt < attempts else { return nil }
        let asked = failure.retryAfter ?? .zero
        guard asked <= longestPause else { return nil }
        return Backoff(first: firstPause, longest: longestPause).pause(after: attempt, atLeast: asked)
    }
}
