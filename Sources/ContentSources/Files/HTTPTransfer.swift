import AsyncHTTPClient
import ComposeModel
import HTTPEnvironment
import Logging
import NIOCore
import NIOHTTP1
import Retries

/// A download of one file, with retries.
///
/// Each attempt continues where the last one ended, if the server supports that. Redirects are followed
/// only to allowed addresses.
struct HTTPTransfer: Sendable {
    /// The most redirects in a row. Each costs a round trip, and real mirrors need one or two.
    private static let longestRedirectChain = 5

    let client: OutboundClient
    let access: SourceAccess
    let limits: SourceLimits
    let logger: Logger
    /// The progress by which a clock decides to end a slow download, see ``inTime(_:bytes:_:)``.
    var progress: DownloadProgress?

    /// Downloads `url` into `target`.
    /// - Parameters:
    ///   - size: The exact size of the file in bytes, if it is known.
    ///   - limit: The maximum size in bytes.
    ///   - known: A version of the file. If the server confirms it, `target` stays empty.
    @discardableResult
    func get(
        _ url: RepositoryURL, into target: some TransferTarget, size: Int?, limit: Int, unless known: FileVersion? = nil
    ) async throws(TransferProblem) -> Receipt {
        if let size, size > limit { throw .overLimit(limit) }
        var source = Source(url, known: known)
        return try await persistently(url, received: { target.count }) { () async throws(TransferProblem) in
            try await attempt(&source, into: target, size: size, limit: limit)
        }
    }

    /// Downloads `url` like ``get(_:into:size:limit:unless:)``, or `other` if there is no file at `url`.
    @discardableResult
    func get(
        _ url: RepositoryURL, or other: RepositoryURL?, into target: some TransferTarget, size: Int?, limit: Int,
        unless known: FileVersion? = nil
    ) async throws(TransferProblem) -> Receipt {
        do throws(TransferProblem) {
            return try await get(url, into: target, size: size, limit: limit, unless: known)
        } catch .missing {
            guard let other else { throw .missing }
            return try await get(other, into: target, size: size, limit: limit, unless: known)
        }
    }

    /// The result of a download.
    struct Receipt {
        /// Whether the bytes came in more than one piece. The pieces may then be of two different files.
        var isPieced = false
        /// Whether the server confirmed the known version instead of sending the file.
        var isConfirmed = false
        /// The version of the file, if the server names one and its earlier names were right.
        var version: FileVersion?
    }

    /// Runs `attempt` until it succeeds, fails for a permanent reason, or has run ``SourceLimits/attempts``
    /// times.
    func persistently<Result>(
        _ url: RepositoryURL, received: () -> Int, _ attempt: () async throws(TransferProblem) -> Result
    ) async throws(TransferProblem) -> Result {
        func pause(_ problem: TransferProblem, _ number: Int) -> Duration? {
            guard problem.mayPass, number < limits.attempts else { return nil }
            logger.info(
                "A download is tried again",
                metadata: ["url": "\(url)", "attempt": "\(number)", "received": "\(received())", "reason": "\(problem.reason)"])
            return limits.backoff.pause(after: number, atLeast: problem.retryAfter)
        }
        return try await retrying(canceled: .canceled, pause: pause, operation: attempt)
    }

    /// The file to download, and the means to recognize that it is still the same file.
    private struct Source {
        let url: RepositoryURL
        /// The value for `If-Range`: a strong ETag, or else Last-Modified (RFC 9110, section 13.1.5).
        var validator: String?
        /// The version of the file that this service has.
        var known: FileVersion?
        /// Whether the server answered that the file is unchanged, without naming the known version.
        var isDoubtful = false

        init(_ url: RepositoryURL, known: FileVersion?) {
            self.url = url
            self.known = known
        }

        mutating func remember(_ headers: HTTPHeaders) {
            let tag = headers.first(name: "etag").flatMap { $0.hasPrefix("\"") ? $0 : nil }
            validator = tag ?? headers.first(name: "last-modified")
        }
    }

    private func attempt(
        _ source: inout Source, into target: some TransferTarget, size: Int?, limit: Int
    ) async throws(TransferProblem) -> Receipt {
        var range: HTTPHeaders = [:]
        if target.count > 0 {
            range.add(name: "range", value: "bytes=\(target.count)-")
            if let validator = source.validator { range.add(name: "if-range", value: validator) }
        }
        let (response, url) = try await respond(source.url, range, unless: target.count > 0 ? nil : source.known)
        switch response.status {
        case .notModified:
            if let known = source.known, known.isConfirmed(by: response.headers) {
                return Receipt(isConfirmed: true, version: known)
            }
            logger.info("A server does not name the file that it calls unchanged", metadata: ["url": "\(url)"])
            source.known = nil
            source.isDoubtful = true
            return try await attempt(&source, into: target, size: size, limit: limit)
        case .ok:
            // A request with `Range` is answered like this too, if the server does not support ranges or if the
            // file has changed.
            if target.count > 0 { try await target.restart() }
        case .partialContent where response.continues(at: target.count) && target.count > 0:
            break
        default:
            // The server sent another range than requested. Either the file changed, or the server is faulty. The
            // next attempt begins at the start.
            try await target.restart()
            throw .unreachable("\(source.url.origin) answered with another part of the file than it was asked for")
        }
        source.remember(response.headers)

        let start = target.count
        let announced = try response.announced.map { (count) throws(TransferProblem) in
            // This also rejects a length that would overflow when it is added to the bytes already received.
            guard count <= limit, start <= limit - count else { throw .overLimit(limit) }
            return start + count
        }
        if let announced, let size, announced > size { throw .larger(expected: size, found: announced) }
        let isWhole = try await receive(response, from: source.url, into: target, most: (size, limit))
        if let announced, target.count < announced || !isWhole {
            throw .truncated(expected: announced, found: target.count, wasCut: true)
        }
        guard isWhole else { throw .unreachable("the connection to \(source.url.origin) was cut") }
        if let size, target.count < size {
            let found = target.count
            // The server sent the whole file, so the next attempt has nothing to continue.
            try await target.restart()
            throw .truncated(expected: size, found: found, wasCut: false)
        }
        let isPieced = start > 0
        return Receipt(
            isPieced: isPieced, version: isPieced || source.isDoubtful ? nil : FileVersion(response.headers, from: url))
    }

    /// Receives the body until its end, or until `target` has `enough` bytes.
    ///
    /// Returns `false` if the connection ended before that.
    func receive(
        _ response: HTTPClientResponse, from url: RepositoryURL, into target: some TransferTarget, most: (size: Int?, limit: Int),
        enough: Int = .max
    ) async throws(TransferProblem) -> Bool {
        let begin = ContinuousClock.now
        progress?.begin()
        defer { progress?.end() }
        var received = 0
        var chunks = response.body.makeAsyncIterator()
        while true {
            let chunk: ByteBuffer?
            do {
                chunk = try await chunks.next()
            } catch {
                if Task.isCancelled { throw .canceled }
                logger.info("A download was cut", metadata: ["url": "\(url)", "received": "\(received)", "error": "\(error)"])
                if NetworkProblem(error) == .answerTimeout {
                    throw .unreachable("\(url.origin) \(limits.silence)")
                }
                return false
            }
            guard let chunk else {
                // The body of a canceled request ends as if it were complete.
                if Task.isCancelled { throw .canceled }
                return true
            }
            received += chunk.readableBytes
            progress?.received(chunk.readableBytes)
            SourceWaits.received(chunk.readableBytes)
            let count = target.count + chunk.readableBytes
            if let size = most.size, count > size { throw .larger(expected: size, found: count) }
            if count > most.limit { throw .overLimit(most.limit) }
            try await target.append(chunk)
            // The connection is closed when the rest of the body is dropped.
            if count >= enough { return true }
            if limits.isTooSlow(received: received, in: .now - begin) {
                throw .unreachable("\(url.origin) \(limits.slowness)")
            }
        }
    }

    /// Requests the file, or the part that `range` names, and follows redirects.
    ///
    /// Returns the last response and its address if the status is 200, 206 or 416. The status may also be
    /// 304 if the address of `known` answers. Throws for any other final status.
    func respond(
        _ file: RepositoryURL, _ range: HTTPHeaders, unless known: FileVersion? = nil
    ) async throws(TransferProblem) -> (response: HTTPClientResponse, url: RepositoryURL) {
        var url = file
        for _ in 0...Self.longestRedirectChain {
            guard access.allowsFile(url) else {
                throw .notPermitted(
                    url == file
                        ? "\(url) is not among the addresses that this service may read"
                        : "it is redirected to \(url), which is not among the addresses that this service may read")
            }
            var request = HTTPClientRequest(url: url.request)
            request.headers.add(name: "user-agent", value: "odcs")
            // Checksums and ranges refer to the bytes as they are stored.
            request.headers.add(name: "accept-encoding", value: "identity")
            request.headers.add(contentsOf: range)
            let isKnown = known?.url == url
            if let known, isKnown { request.headers.add(contentsOf: known.condition) }
            let response = try await send(request, to: url)
            SourceWaits.answered()
            switch response.status.code {
            case 200, 206, 416: return (response, url)
            case 304 where isKnown: return (response, url)
            case 301, 302, 303, 307, 308:
                guard let location = response.headers.first(name: "location") else { throw .refused(status: response.status.code) }
                do {
                    url = try url.redirected(to: location)
                } catch {
                    throw .notPermitted("\(url.origin) redirects to an address that cannot be used: \(error.reason)")
                }
            case 404, 410: throw .missing
            case 408, 425, 429, 500...599:
                throw .unreachable(
                    "\(url.origin) answered with the status \(response.status.code) (\(response.status.reasonPhrase))",
                    retryAfter: response.headers.first(name: "retry-after").flatMap(RetryAfter.pause))
            default: throw .refused(status: response.status.code)
            }
        }
        throw .notPermitted("\(file.origin) redirects more than \(Self.longestRedirectChain) times")
    }

    private func send(_ request: HTTPClientRequest, to url: RepositoryURL) async throws(TransferProblem) -> HTTPClientResponse {
        do {
            let patience = TimeAmount(limits.connectTimeout) + TimeAmount(limits.readTimeout)
            return try await client.execute(request, timeout: patience, logger: logger)
        } catch {
            if Task.isCancelled { throw .canceled }
            logger.info("A request failed", metadata: ["url": "\(url)", "error": "\(error)"])
            throw .unreachable(reason(error, at: url.origin))
        }
    }
}

extension HTTPTransfer {
    /// Returns the reason why no response came, as text for a user.
    ///
    /// Example: "https://example.com does not accept connections".
    private func reason(_ error: any Error, at origin: String) -> String {
        let problem = NetworkProblem(error)
        switch problem {
        case .notSent(let problem): return problem.description
        case .tls(.untrustedCertificate):
            return
                "the certificate of \(origin) is not one that this service trusts; sources.ca or SSL_CERT_FILE can name those that it is to trust"
        default:
            return "\(origin) \(problem.words(connecting: limits.connectTimeout, answering: limits.readTimeout))"
        }
    }
}

extension TransferProblem {
    /// Whether an immediate retry may help.
    fileprivate var mayPass: Bool {
        switch self {
        case .unreachable, .truncated: true
        default: false
        }
    }

    /// The pause that the server asked for before the next attempt.
    fileprivate var retryAfter: Duration? {
        if case .unreachable(_, let pause) = self { pause } else { nil }
    }
}

extension HTTPClientResponse {
    /// The length of the body in bytes, if the server reports it.
    var announced: Int? { headers.first(name: "content-length").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    /// Returns whether the response contains the file from `offset` on, according to its `Content-Range`.
    func continues(at offset: Int) -> Bool {
        headers.first(name: "content-range")?.hasPrefix("bytes \(offset)-") ?? false
    }
}
