import ComposeModel
import Synchronization

/// Download progress is how much of the body that is being received came, and since when it is received.
final class DownloadProgress: Sendable {
    private struct Body {
        var begin: ContinuousClock.Instant
        var received = 0
    }

    private let body = Mutex<Body?>(nil)

    func begin() { body.withLock { $0 = Body(begin: .now) } }

    func end() { body.withLock { $0 = nil } }

    func received(_ bytes: Int) { body.withLock { $0?.received += bytes } }

    /// Whether a body is being received more slowly than the limits allow, also if nothing of it comes at all.
    func isTooSlow(_ limits: SourceLimits) -> Bool {
        body.withLock { body in
            guard let body else { return false }
            return limits.isTooSlow(received: body.received, in: .now - body.begin)
        }
    }
}

extension SourceLimits {
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
            do { try await Task.sleep(for: min(rest, max(readTimeout / 4, .milliseconds(10)))) } catch { return .canceled }
            if progress.isTooSlow(self) { return .unreachable("\(origin) sends less than \(minimumRate) bytes in a second") }
        }
    }
}
