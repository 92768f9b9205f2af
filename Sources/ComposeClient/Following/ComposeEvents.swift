public import ComposeModel

/// A compose event is a result of a look at a compose.
public enum ComposeEvent: Hashable, Sendable {
    /// The compose, at the first look and after each change.
    case changed(ComposeDocument)
    /// A new line of its log.
    case logged(String)
    /// Its log cannot be read. This event occurs once, and the client continues without the log.
    case logUnreadable(ComposeClientError)
    /// The look found nothing new.
    case unchanged
}

/// The events of a compose, from now until its state is final.
///
/// If the log is wanted and the service has event streams, they come as soon as they happen. Otherwise
/// the client looks repeatedly. A service that can wait for a change answers when it comes. With the
/// original ODCS, the pauses grow while nothing happens.
///
/// The first look fails as any call does. Later looks are patient: they outlast a restart of the
/// server.
public struct ComposeEvents: AsyncSequence, Sendable {
    public typealias Element = ComposeEvent

    let id: Int
    let includesLog: Bool
    let transport: Transport

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(id: id, log: includesLog ? LogTail() : nil, transport: transport)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        /// The time that the service may wait for a change, in seconds. Gateways end longer requests.
        private static let longestWait = 20
        /// The time between two looks at the place in the queue, in seconds. A stream has no events of it.
        private static let queueInterval = 10

        let id: Int
        /// The reader of the log. `nil` if the log is not wanted or cannot be read.
        var log: LogTail?
        let transport: Transport

        private var latest: ComposeDocument?
        private var hasLooked = false
        /// Whether the service itself waited for a change, so that the next look is due at once.
        private var serviceWaits = false
        private var looks = Looks<ComposeEvent>()
        /// The stream that brings the events, in the place of looks.
        private var stream: ComposeStream?
        private var triesStream: Bool
        private var seconds = 0
        /// The lines of the log that the stream has brought. A reader of the log begins at its first line.
        private var streamedLines = 0

        init(id: Int, log: LogTail?, transport: Transport) {
            self.id = id
            self.log = log
            self.transport = transport
            triesStream = log != nil
        }

        /// - Throws: ``ComposeClientError`` or `CancellationError`.
        public mutating func next() async throws -> ComposeEvent? {
            if let event = looks.next() { return event }
            if looks.isFinished { return nil }
            if let event = try await streamed() { return event }
            if !serviceWaits { try await looks.pause(transport.clock) }
            let found = try await look()
            return looks.take(found, orElse: .unchanged)
        }

        /// Looks at the compose and its log once. A change comes before the lines written after it. The final
        /// state comes after the last line, when the log has been read to its end.
        private mutating func look() async throws -> Looks<ComposeEvent>.Look {
            // The log is read after each look, so the service waits for a short time only.
            let wait = log == nil ? Self.longestWait : 1
            let call = latest.map { Call.get(id, waiting: wait, while: $0.stateName) } ?? .get(id)
            let asked = ContinuousClock.now
            let compose: ComposeDocument = try await transport.answer(call, patience: hasLooked ? .established : .firstContact)
            serviceWaits = latest != nil && ContinuousClock.now - asked >= .seconds(wait) / 2
            hasLooked = true
            let isFinal = Self.isFinal(compose)
            if triesStream, !isFinal {
                triesStream = false
                var stream = ComposeStream(id, over: transport)
                if try await stream.open() {
                    (self.stream, latest) = (stream, compose)
                    return .init(events: [.changed(compose)], isLast: false, hasMore: true)
                }
            }
            var (found, hasMore) = try await readLog(of: compose, isFinal: isFinal)
            if isFinal, !hasMore {
                found.append(.changed(compose))
            } else if !isFinal, compose != latest {
                found.insert(.changed(compose), at: 0)
                latest = compose
            }
            return .init(events: found, isLast: isFinal && !hasMore, hasMore: hasMore)
        }

        private static func isFinal(_ compose: ComposeDocument) -> Bool { ComposeState(rawValue: compose.state)?.isFinal ?? true }

        /// Returns the next event of the stream. Returns `nil` without a stream, so that looks go on.
        private mutating func streamed() async throws -> ComposeEvent? {
            while stream != nil {
                switch try await stream?.next() {
                case .changed(let compose)?:
                    // The final state comes after the last line of the log.
                    guard !Self.isFinal(compose), compose.state != latest?.state else { continue }
                    latest = compose
                    return .changed(compose)
                case .logged(let lines)?:
                    streamedLines += lines.count
                    return looks.take(.init(events: lines.map(ComposeEvent.logged), isLast: false, hasMore: true), orElse: .unchanged)
                case .ended?:
                    stream = nil
                    let compose: ComposeDocument = try await transport.answer(.get(id), patience: .established)
                    return looks.take(.init(events: [.changed(compose)], isLast: true, hasMore: false), orElse: .unchanged)
                case .second?:
                    seconds += 1
                    guard seconds % Self.queueInterval == 0, latest?.state == ComposeState.wait.rawValue else { return .unchanged }
                    let compose: ComposeDocument = try await transport.answer(.get(id), patience: .established)
                    guard !Self.isFinal(compose), compose != latest else { return .unchanged }
                    latest = compose
                    return .changed(compose)
                case .unavailable?, nil: stream = nil
                }
            }
            return nil
        }

        private mutating func readLog(of compose: ComposeDocument, isFinal: Bool) async throws -> (lines: [ComposeEvent], hasMore: Bool) {
            guard log != nil else { return ([], false) }
            do {
                let url = "\(compose.toplevelURL)/\(ComposeLayout.log)"
                let reading = try await log!.read(url, isFinal: isFinal, over: transport)
                let known = Swift.min(streamedLines, reading.lines.count)
                streamedLines -= known
                return (reading.lines.dropFirst(known).map(ComposeEvent.logged), reading.hasMore)
            } catch let error as ComposeClientError {
                // While a server restarts, its log is unavailable for a while too.
                if error.isPassing && !isFinal { return ([], false) }
                log = nil
                return ([.logUnreadable(error)], false)
            }
        }
    }
}
