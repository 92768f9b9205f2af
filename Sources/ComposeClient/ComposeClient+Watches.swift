public import ComposeModel

// Watches: composes that the service makes anew whenever the packages of a Koji tag change.
extension ComposeClient {
    /// Has the compose of a tag made now, and again whenever its packages change. The same wish of the same owner is the same watch: while
    /// it stands, asking again gives the one that is there.
    public func startWatch(_ submission: ComposeSubmission) async throws -> WatchDocument {
        try await transport.answer(.startWatch(submission))
    }

    public func watch(_ id: Int) async throws -> WatchDocument {
        try await transport.answer(.watch(id))
    }

    public func watches(_ query: WatchQuery = WatchQuery()) async throws -> WatchList {
        try await transport.answer(.watches(query))
    }

    /// Makes no more composes for a watch; those that are there stay. One that has ended stays as it is.
    public func endWatch(_ id: Int) async throws -> WatchDocument {
        try await transport.answer(.endWatch(id))
    }

    /// A watch as it is, and after each change until it has ended. That it was looked at again without a change is none.
    public func changes(ofWatch id: Int) -> WatchChanges {
        WatchChanges(id: id, transport: transport)
    }
}

/// What becomes of a watch, from now until it has ended: one look after another, with pauses that grow while nothing happens.
///
/// The first look fails as any call does. Later ones are patient: they outlast a restart of the server.
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
                // Whoever asks for the next change has dealt with the one before it, so that the first pause is due too.
                if latest != nil, let pause = Backoff.watching.pause(looksWithoutNews) { try await transport.clock.sleep(for: pause) }
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
    /// But for when the tag was looked at, and as of which event.
    fileprivate func isSame(as other: WatchDocument) -> Bool {
        var other = other
        other.timeLooked = timeLooked
        other.kojiEvent = kojiEvent
        return self == other
    }
}
