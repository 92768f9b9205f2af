import NIOPosix

extension NIOThreadPool {
    /// Runs blocking work on a thread of the pool and hands back its typed error.
    ///
    /// Work that has not begun when the task is canceled does not begin, and `canceled` is thrown; work that has begun is waited for.
    func run<Success: Sendable, Failure: Error>(
        canceled: Failure, _ body: @escaping @Sendable () throws(Failure) -> Success
    ) async throws(Failure) -> Success {
        let result: Result<Success, Failure>
        do {
            result = try await runIfActive {
                do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            // The pool itself throws only when the task was canceled, or when it is stopped because the service ends.
            throw canceled
        }
        return try result.get()
    }

    /// Runs blocking work that has to happen also when the task was canceled: removing what it leaves.
    func runAlways(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            submit { _ in
                body()
                continuation.resume()
            }
        }
    }
}
