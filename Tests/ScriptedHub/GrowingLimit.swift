/// Runs a scenario with a limit of time, and again with longer ones until it ends as a test expects.
///
/// A server that stands still is noticed by a limit. On a busy machine, a server that answers can miss
/// a short limit too. So the limit grows, and the last one is longer than half a minute.
///
/// - Returns: The outcome of the last run.
public func withGrowingLimit<Outcome>(
    from first: Duration, until isExpected: (Outcome) -> Bool, _ scenario: (Duration) async throws -> Outcome
) async rethrows -> Outcome {
    var limit = first
    while true {
        let outcome = try await scenario(limit)
        if isExpected(outcome) || limit > .seconds(30) { return outcome }
        limit *= 4
    }
}
