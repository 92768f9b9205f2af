import Synchronization

/// A *node memory* is what the connections of one worker to nodes share.
final class NodeMemory: Sendable {
    /// The turns at what two connections to a node would do twice.
    let turns = Turns()

    /// The time for which a node without containers is not asked for one again.
    private static let pause = Duration.seconds(600)
    private let failures = Mutex<[String: ContinuousClock.Instant]>([:])

    /// Whether a node could not start a container a short time ago.
    func hasNoContainers(_ node: String) -> Bool {
        failures.withLock { failures in failures[node].map { .now - $0 < Self.pause } ?? false }
    }

    func noteThatNoContainerStarts(on node: String) { failures.withLock { $0[node] = .now } }
}
