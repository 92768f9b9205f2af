import NIOPosix

extension NIOThreadPool {
    /// Runs blocking work on a thread of the pool and returns its result or throws its typed error.
    ///
    /// If the task is canceled before the work begins, the work does not run and `canceled` is thrown. Work
    /// that has begun is waited for.
    func run<Success: Sendable, Failure: Error>(
        canceled: Failure, _ body: @escaping @Sendable () throws(Failure) -> Success
    ) async throws(Failure) -> Success {
        let result: Result<Success, Failure>
        do {
            result = try await runIfActive {
                do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            // The pool itself throws only if the task was canceled, or if the pool was stopped with the service.
            throw canceled
        }
        return try result.get()
    }

    /// Runs blocking work that must run even if the task was canceled, such as removing a temporary file.
    func runAlways(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            submit { _ in
                body()
                continuation.resume()
            }
        }
    }
}
