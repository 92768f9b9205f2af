/// A sequencing pace lets a sequencer work at once while there are few events, and rest between its
/// turns while there are many. Under load, a turn then numbers many events, and the claims and their
/// commits get the time of the other turns.
///
/// Example: the three events of one compose are numbered at once. Of 4,000 events a second, each turn
/// numbers some 40.
struct SequencingPace {
    /// The turns that may follow each other without a rest. A compose needs three.
    static let burst = 20.0
    /// The rest between further turns. An event waits for its position at most so long.
    static let rest = Duration.milliseconds(10)

    private var turns = burst
    private var last: ContinuousClock.Instant

    init(at now: ContinuousClock.Instant) { last = now }

    /// Takes a turn, and returns how long to rest before it.
    mutating func takeTurn(at now: ContinuousClock.Instant) -> Duration {
        turns = min(Self.burst, turns + (now - last) / Self.rest)
        last = now
        turns -= 1
        return turns >= 0 ? .zero : Self.rest
    }
}
