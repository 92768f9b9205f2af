import ComposeModel
import Synchronization

/// Download progress is how much of the body that is being received came, and since when it is received.
final class DownloadProgress: Sendable {
    private struct Body {
        let begin: ContinuousClock.Instant
        var received = 0
        /// When something of it came last; at first, when it began.
        var latest: ContinuousClock.Instant
    }

    private let body = Mutex<Body?>(nil)

    func begin() {
        let now = ContinuousClock.now
        body.withLock { $0 = Body(begin: now, latest: now) }
    }

    func end() { body.withLock { $0 = nil } }

    func received(_ bytes: Int) {
        body.withLock {
            $0?.received += bytes
            $0?.latest = .now
        }
    }

    /// Why the body is no longer waited for, if it comes more slowly than the limits allow: "stopped sending for 60 seconds".
    func problem(_ limits: SourceLimits) -> String? {
        body.withLock { body in
            guard let body, limits.isTooSlow(received: body.received, in: .now - body.begin) else { return nil }
            let quiet = .now - body.latest
            if quiet > limits.readTimeout { return limits.silence }
            // In the middle of a pause it is not known yet which of the two it will be.
            return quiet > limits.readTimeout / 2 ? nil : limits.slowness
        }
    }
}

extension SourceLimits {
    /// What a server does that no byte of a file comes from for ``readTimeout``.
    var silence: String { "stopped sending for \(readTimeout.inWords)" }

    /// What a server does from which a file comes more slowly than ``minimumRate``.
    var slowness: String { "sends less than \(minimumRate) bytes in a second" }

    /// Whether a body comes too slowly of which that many bytes came.
    func isTooSlow(received: Int, in elapsed: Duration) -> Bool {
        elapsed > readTimeout && Double(received) < Double(minimumRate) * (elapsed / .seconds(1))
    }

    /// How long a download may take that has at most so many bytes, all attempts together: what the slowest source takes that is accepted, and
    /// never more than ``downloadTime``.
    func time(forBytes bytes: Int) -> Duration {
        let waiting = (connectTimeout + readTimeout + longestPause) * attempts
        let seconds = min(bytes / max(1, minimumRate), Int(Int32.max))
        return min(downloadTime, waiting + .seconds(seconds))
    }
}

extension HTTPTransfer {
    /// Runs `body`, which downloads `url`, for as long as that may take; it is looked at by a clock, since a hostile answer can go on without a byte.
    ///
    /// - Parameters:
    ///   - bytes: What the file may have at the most.
    ///   - body: Gets the transfer that it has to use.
    func inTime<Result: Sendable>(
        _ url: RepositoryURL, bytes: Int, _ body: @escaping @Sendable (HTTPTransfer) async throws(TransferProblem) -> Result
    ) async throws(TransferProblem) -> Result {
        var watched = self
        let progress = DownloadProgress()
        watched.progress = progress
        let (transfer, limits) = (watched, limits)
        let time = limits.time(forBytes: bytes)
        return try await SourceWaits.waiting(for: url.origin) { () async throws(TransferProblem) in
            let outcome = await withTaskGroup(of: Swift.Result<Result, TransferProblem>.self) { group in
                group.addTask {
                    do throws(TransferProblem) { return .success(try await body(transfer)) } catch { return .failure(error) }
                }
                group.addTask { .failure(await limits.end(of: progress, after: time, at: url.origin)) }
                let first = await group.next()
                group.cancelAll()
                return first ?? .failure(.canceled)
            }
            return try outcome.get()
        }
    }
}

extension SourceLimits {
    /// Waits until a download has to end, and says why.
    fileprivate func end(of progress: DownloadProgress, after time: Duration, at origin: String) async -> TransferProblem {
        let deadline = ContinuousClock.now + time
        while true {
            let rest = deadline - .now
            if rest <= .zero { return .overTime(time, at: origin) }
            // A server that sends nothing gives no signal to wait for, so the clock is looked at.
            do { try await Task.sleep(for: min(rest, max(readTimeout / 4, .milliseconds(10)))) } catch { return .canceled }
            if let problem = progress.problem(self) { return .unreachable("\(origin) \(problem)") }
        }
    }
}
