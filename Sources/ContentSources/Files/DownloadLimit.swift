import HTTPEnvironment
import Retries
import Synchronization

/// Download progress is the number of bytes received of the current response body, and the time since
/// the body began.
final class DownloadProgress: Sendable {
    private struct Body {
        let begin: ContinuousClock.Instant
        var received = 0
        /// The time at which bytes last arrived. Before the first bytes it is the time at which the body began.
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

    /// Returns the reason to stop waiting for the body, or `nil` if the body arrives fast enough for the
    /// limits.
    ///
    /// Example: "stopped sending for 60 seconds".
    func problem(_ limits: SourceLimits) -> String? {
        body.withLock { body in
            guard let body, limits.isTooSlow(received: body.received, in: .now - body.begin) else { return nil }
            let quiet = .now - body.latest
            // A connection that is silent for one readTimeout ends by itself, and the download goes on where it
            // stopped. What is left for twice that time are connections that send bytes, but none of the file.
            if quiet > limits.readTimeout * 2 { return limits.silence }
            // In the middle of a pause it is not known yet whether the server is silent or only slow.
            return quiet > limits.readTimeout / 2 ? nil : limits.slowness
        }
    }
}

extension SourceLimits {
    /// The words for a server that has sent no byte of a file for ``readTimeout``.
    var silence: String { "stopped sending for \(readTimeout.inWords)" }

    /// The words for a server that sends a file more slowly than ``minimumRate``.
    var slowness: String { "sends less than \(minimumRate) bytes in a second" }

    /// Returns whether a body is too slow if `received` bytes of it came in the time `elapsed`.
    ///
    /// A body is never too slow before ``readTimeout``. After that its average rate must reach
    /// ``minimumRate``.
    func isTooSlow(received: Int, in elapsed: Duration) -> Bool {
        elapsed > readTimeout && Double(received) < Double(minimumRate) * (elapsed / .seconds(1))
    }

    /// Returns the time that a download of at most `bytes` bytes may take, all attempts together.
    ///
    /// It is the time that the slowest accepted source needs, but at most ``downloadTime``.
    func time(forBytes bytes: Int) -> Duration {
        let waiting = (connectTimeout + readTimeout + longestPause) * attempts
        let seconds = min(bytes / max(1, minimumRate), Int(Int32.max))
        return min(downloadTime, waiting + .seconds(seconds))
    }
}

extension HTTPTransfer {
    /// Runs `body`, which downloads `url`, and ends it when its time is up.
    ///
    /// A clock checks the time, because a hostile server can keep a response open without sending a byte.
    ///
    /// - Parameters:
    ///   - bytes: The largest size that the file may have.
    ///   - body: The download. It must use the transfer that it is given.
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
    /// Waits until a download has to end, and returns the reason.
    fileprivate func end(of progress: DownloadProgress, after time: Duration, at origin: String) async -> TransferProblem {
        let deadline = ContinuousClock.now + time
        while true {
            let rest = deadline - .now
            if rest <= .zero { return .overTime(time, at: origin) }
            // A server that sends nothing causes no event to wait for, so the progress is checked at intervals.
            do { try await Task.sleep(for: min(rest, max(readTimeout / 4, .milliseconds(10)))) } catch { return .canceled }
            if let problem = progress.problem(self) { return .unreachable("\(origin) \(problem)") }
        }
    }
}
