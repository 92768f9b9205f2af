import Synchronization

/// An event signal reports to the sequencer of the same process that a transaction may have stored
/// events.
///
/// The report comes after the commit. No statement has to notify for it, and a process that dies before
/// its report only delays the events until another sequencer looks.
final class EventSignal: Sendable {
    private struct State {
        var readers: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    func report() {
        let readers = state.withLock { Array($0.readers.values) }
        for reader in readers { reader.yield() }
    }

    /// Returns the reports from now on. Several reports that were not read yet are one element.
    func reports() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let reader = state.withLock { state in
            state.next += 1
            state.readers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in _ = state.readers.removeValue(forKey: reader) }
        }
        return stream
    }
}
