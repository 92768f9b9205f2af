public import ImageModel

/// A build event is a result of a look at a build.
public enum BuildEvent: Hashable, Sendable {
    /// The build, at the first look and after each change.
    case changed(BuildDocument)
    /// A new line of the log of a platform.
    case logged(platform: String, line: String)
    /// The log of a platform cannot be read. This event occurs once for each platform, and the client
    /// continues without that log.
    case logUnreadable(platform: String, ComposeClientError)
    /// The look found nothing new.
    case unchanged
}

/// The events of a build, from now until its state is final.
///
/// Without logs, the service answers as soon as the build has ended, if it announces the feature
/// `build-wait`. With logs, or with an older service, the client looks repeatedly, with pauses that
/// grow while nothing happens.
///
/// The first look fails as any call does. Later looks are patient: they outlast a restart of the
/// server.
public struct BuildEvents: AsyncSequence, Sendable {
    public typealias Element = BuildEvent

    let id: Int
    let includesLogs: Bool
    let includesSteps: Bool
    let transport: Transport

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(id: id, includesLogs: includesLogs, includesSteps: includesSteps, transport: transport)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        /// The feature of a service that can wait for the end of a build.
        private static let feature = "build-wait"
        /// The time that the service may wait for the end, in seconds.
        private static let longestWait = 30
        /// The same if the steps are looked at meanwhile.
        private static let waitBetweenSteps = 2

        let id: Int
        let includesLogs: Bool
        let includesSteps: Bool
        let transport: Transport

        /// The readers of the logs, by platform. No value if the log cannot be read.
        private var logs: [String: LogTail?] = [:]
        private var latest: BuildDocument?
        /// The time that the service waits for the end at each look, in seconds. 0 if it cannot, and nil until
        /// that is known.
        private var wait: Int?
        /// Whether the service itself waits, so that the next look is due at once.
        private var serviceWaits = false
        private var looks = Looks<BuildEvent>()

        init(id: Int, includesLogs: Bool, includesSteps: Bool, transport: Transport) {
            self.id = id
            self.includesLogs = includesLogs
            self.includesSteps = includesSteps
            self.transport = transport
            // The logs are read after each look, so none waits.
            if includesLogs { wait = 0 }
        }

        /// - Throws: ``ComposeClientError`` or `CancellationError`.
        public mutating func next() async throws -> BuildEvent? {
            if let event = looks.next() { return event }
            if looks.isFinished { return nil }
            if !serviceWaits { try await looks.pause(transport.clock) }
            let found = try await look()
            return looks.take(found, orElse: .unchanged)
        }

        /// Looks at the build and its logs once. A change comes before the lines written after it. The final
        /// state comes after the last line, when all logs have been read to their ends.
        private mutating func look() async throws -> Looks<BuildEvent>.Look {
            let call = latest == nil || wait == 0 ? Call.build(id) : .build(id, waiting: wait ?? 0)
            let asked = ContinuousClock.now
            let build: BuildDocument = try await transport.answer(call, patience: latest == nil ? .firstContact : .established)
            let isFinal = build.isFinal
            if wait == nil, !isFinal {
                let features = try await transport.answer(.about, as: ServiceDescription.self, patience: .established).features ?? []
                wait = features.contains(Self.feature) ? includesSteps ? Self.waitBetweenSteps : Self.longestWait : 0
            }
            // A service with too many requests that wait answers this one at once.
            serviceWaits = wait != 0 && (latest == nil || ContinuousClock.now - asked >= .seconds(1))
            var found: [BuildEvent] = []
            if !isFinal, build != latest { found.append(.changed(build)) }
            latest = build
            var hasMore = false
            for step in build.steps where includesLogs {
                guard let platform = step.platform, let url = step.log, step.attempts > 0 else { continue }
                let reading = try await read(url, of: platform, isFinal: isFinal)
                found += reading.events
                hasMore = hasMore || reading.hasMore
            }
            if isFinal, !hasMore { found.append(.changed(build)) }
            return .init(events: found, isLast: isFinal && !hasMore, hasMore: hasMore)
        }

        private mutating func read(_ url: String, of platform: String, isFinal: Bool) async throws -> (events: [BuildEvent], hasMore: Bool)
        {
            guard var log = logs[platform, default: LogTail()] else { return ([], false) }
            do {
                let reading = try await log.read(url, isFinal: isFinal, over: transport)
                logs[platform] = .some(log)
                return (reading.lines.map { .logged(platform: platform, line: $0) }, reading.hasMore)
            } catch let error as ComposeClientError {
                // While a server restarts, its logs are unavailable for a while too.
                if error.isPassing && !isFinal { return ([], false) }
                logs[platform] = .some(nil)
                return ([.logUnreadable(platform: platform, error)], false)
            }
        }
    }
}

extension BuildDocument {
    /// Whether nothing more is built. A state that this version does not know counts as final.
    public var isFinal: Bool { BuildState(rawValue: state)?.isFinal ?? true }
}
