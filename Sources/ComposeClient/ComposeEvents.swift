public import ComposeModel

/// Something that a look at a compose showed.
public enum ComposeEvent: Hashable, Sendable {
    /// The compose, as it is when the watching begins and after each change.
    case changed(ComposeDocument)
    /// A new line of its log.
    case logged(String)
    /// Its log cannot be read; said once, and the compose is watched on.
    case logUnreadable(ComposeClientError)
    /// Nothing is new.
    case unchanged
}

/// What happens to a compose, from now until its state is final: one look after another, with pauses that grow while nothing happens.
///
/// The first look fails as any call does. Later ones are patient: they outlast a restart of the server.
public struct ComposeEvents: AsyncSequence, Sendable {
    public typealias Element = ComposeEvent

    let id: Int
    let includesLog: Bool
    let transport: Transport

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(id: id, log: includesLog ? LogTail() : nil, transport: transport)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let id: Int
        /// `nil` when it is not wanted or cannot be read.
        var log: LogTail?
        let transport: Transport

        private var latest: ComposeDocument?
        private var hasLooked = false
        private var isFinished = false
        private var looksWithoutNews = 0
        private var pauseIsDue = false
        private var events: ArraySlice<ComposeEvent> = []

        init(id: Int, log: LogTail?, transport: Transport) {
            self.id = id
            self.log = log
            self.transport = transport
        }

        /// - Throws: ``ComposeClientError`` or `CancellationError`.
        public mutating func next() async throws -> ComposeEvent? {
            if let event = events.popFirst() { return event }
            if isFinished { return nil }
            if pauseIsDue, let pause = Backoff.polling.pause(looksWithoutNews) {
                try await transport.clock.sleep(for: pause)
            }
            let found = try await look()
            looksWithoutNews = found.isEmpty ? looksWithoutNews + 1 : 0
            events = found.isEmpty ? [.unchanged] : ArraySlice(found)
            return events.popFirst()
        }

        /// A change comes before the lines written after it; the end comes after the last line, once the log is read to its end.
        private mutating func look() async throws -> [ComposeEvent] {
            let compose: ComposeDocument = try await transport.answer(.get(id), patience: hasLooked ? .established : .firstContact)
            hasLooked = true
            let isFinal = ComposeState(rawValue: compose.state)?.isFinal ?? true
            var (found, logHasMore) = try await readLog(of: compose, isFinal: isFinal)
            isFinished = isFinal && !logHasMore
            pauseIsDue = !logHasMore
            if isFinished {
                found.append(.changed(compose))
            } else if !isFinal, compose != latest {
                found.insert(.changed(compose), at: 0)
                latest = compose
            }
            return found
        }

        private mutating func readLog(of compose: ComposeDocument, isFinal: Bool) async throws -> (lines: [ComposeEvent], hasMore: Bool) {
            guard log != nil else { return ([], false) }
            do {
                let url = "\(compose.toplevelURL)/\(ComposeLayout.log)"
                let reading = try await log!.read(url, over: transport)
                var lines = reading.lines
                if isFinal, !reading.hasMore, let rest = log!.rest() { lines.append(rest) }
                return (lines.map(ComposeEvent.logged), reading.hasMore)
            } catch let error as ComposeClientError {
                // A server that restarts takes its log away for a while too.
                if error.isPassing && !isFinal { return ([], false) }
                log = nil
                return ([.logUnreadable(error)], false)
            }
        }
    }
}
