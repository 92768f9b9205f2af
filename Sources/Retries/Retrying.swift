/// Runs `operation` until it succeeds, or until `pause` finds no reason to repeat it.
///
/// Example:
///
///     let answer = try await retrying(canceled: .canceled) { problem, attempt in
///         problem.mayPass && attempt < 3 ? backoff.pause(after: attempt) : nil
///     } operation: { () async throws(Problem) in
///         try await ask()
///     }
///
/// - Parameters:
///   - canceled: The error to throw if the task is canceled. It replaces the error of the operation.
///   - pause: Returns the pause after the failed attempt with the given number, or `nil` to end with
///     its error. The first attempt has the number 1.
public func retrying<Value, Failure: Error>(
    clock: any Clock<Duration> = ContinuousClock(), canceled: Failure, pause: (_ error: Failure, _ attempt: Int) -> Duration?,
    operation: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    var attempt = 1
    while true {
        let failure: Failure
        do throws(Failure) {
            return try await operation()
        } catch {
            failure = error
        }
        if Task.isCancelled { throw canceled }
        guard let pause = pause(failure, attempt) else { throw failure }
        do { try await clock.sleep(for: pause) } catch { throw canceled }
        attempt += 1
    }
}
