public import ComposeModel
import Retries

// A watch is a standing request for a compose of a Koji tag. The service makes the compose anew
// whenever the tag's packages change.
extension ComposeClient {
    /// Starts a watch: the service makes the compose of a tag now, and again whenever its packages change.
    /// If the same owner has the same watch already, and it has not ended, that watch is returned.
    public func startWatch(_ submission: ComposeSubmission) async throws -> WatchDocument {
        try await transport.answer(.startWatch(submission))
    }

    public func watch(_ id: Int) async throws -> WatchDocument {
        try await transport.answer(.watch(id))
    }

    public func watches(_ query: WatchQuery = WatchQuery()) async throws -> WatchList {
        try await transport.answer(.watches(query))
    }

    /// Ends a watch, so that the service makes no more composes for it. Its existing composes stay. A watch
    /// that has ended already is unchanged.
    public func endWatch(_ id: Int) async throws -> WatchDocument {
        try await transport.answer(.endWatch(id))
    }

    /// Returns the watch as it is now, and after each change until it has ended. A look at the tag that
    /// finds no change is not a change.
    public func changes(ofWatch id: Int) -> WatchChanges {
        WatchChanges(id: id, transport: transport)
    }
}

/// The changes of a watch, from now until it has ended. The client looks repeatedly, with pauses that
/// grow while nothing changes.
///
/// The first look fails as any call does. Later looks are patient: they outlast a restart of the
/// server.
public struct WatchChanges: AsyncSequence, Sendable {
    public typealias Element = WatchDocument

    let id: Int
    let transport: Transport

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(id: id, transport: transport)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let id: Int
        let transport: Transport
        private var latest: WatchDocument?

        init(id: Int, transport: Transport) {
            self.id = id
            self.transport = transport
        }

        /// - Throws: ``ComposeClientError`` or `CancellationError`.
        public mutating func next() async throws -> WatchDocument? {
            if latest?.timeEnded != nil { return nil }
            var looksWithoutNews = 0
            while true {
                // The caller asks for the next change after it has handled the one before, so the first pause is due
                // too.
                if latest != nil { try await transport.clock.sleep(for: Backoff.watching.pause(after: looksWithoutNews + 1)) }
                let watch: WatchDocument = try await transport.answer(.watch(id), patience: latest == nil ? .firstContact : .established)
                guard let known = latest, known.isSame(as: watch) else {
                    latest = watch
                    return watch
                }
                looksWithoutNews += 1
            }
        }
    }
}

extension WatchDocument {
    /// Returns whether both are equal, apart from the time and the event of the last look at the tag.
    fileprivate func isSame(as other: WatchDocument) -> Bool {
        var other = other
        other.timeLooked = timeLooked
        other.kojiEvent = kojiEvent
        return self == other
    }
}
