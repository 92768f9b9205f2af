import ComposeModel
public import ComposeStore
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// A question desk passes questions to workers, and waits for their answers. A frontend reads no
/// metadata itself.
public final class QuestionDesk: Service {
    /// The time that a client waits for an answer.
    private let patience: Duration
    /// The time in which a worker has to begin.
    private let patienceForBegin: Duration
    /// The time that a worker may work on a question. It goes on after the client has its answer, so that a
    /// later question about the same source finds the metadata read.
    private static let life = Duration.seconds(120)
    /// The interval at which the database is asked for an answer, because a notification can be lost.
    private static let interval = Duration.seconds(2)

    private let store: ComposeStore
    private let logger: Logger
    private let notifications: @Sendable () -> AsyncStream<PostgresNotification>
    /// The requests that wait, by the ids of their questions.
    private let waiting: Mutex<[Int: AsyncStream<Void>.Continuation]> = Mutex([:])
    /// The questions on which workers go on although no request waits. A request that is repeated takes its
    /// question from here, so it does not occupy one more worker.
    private let left: Mutex<[Asked: Left]> = Mutex([:])

    private struct Asked: Hashable {
        let subject: Question.Subject
        let request: ComposeRequest
    }

    private struct Left {
        let id: Int
        let end: ContinuousClock.Instant
    }

    /// - Parameters:
    ///   - patience: The time that a client waits for an answer. Clients, and proxies such as nginx, give
    ///     up after a minute without one, and would not learn the reason.
    ///   - patienceForBegin: The time in which a worker has to begin. Workers look every five seconds even
    ///     without a notification.
    ///   - notifications: Returns the notifications of the database, for ``run()``.
    public init(
        store: ComposeStore, patience: Duration = .seconds(45), patienceForBegin: Duration = .seconds(20), logger: Logger,
        notifications: @escaping @Sendable () -> AsyncStream<PostgresNotification>
    ) {
        self.store = store
        self.patience = patience
        self.patienceForBegin = patienceForBegin
        self.logger = logger
        self.notifications = notifications
    }

    /// Whether a notification says that an answer has come. Example: `answer 7`.
    public static func concerns(_ notification: PostgresNotification) -> Bool {
        guard case .notified(let payload) = notification else { return false }
        return payload.hasPrefix("answer ")
    }

    /// Wakes the requests whose answers have come, until the graceful shutdown.
    public func run() async throws {
        let notifications = notifications()
        await cancelWhenGracefulShutdown {
            for await notification in notifications {
                guard case .notified(let payload) = notification else { continue }
                let words = payload.split(separator: " ")
                guard words.count == 2, words[0] == "answer", let id = Int(words[1]) else { continue }
                self.waiting.withLock { $0[id] }?.yield()
            }
        }
    }

    /// The end of the wait for an answer.
    enum Outcome: Hashable, Sendable {
        /// The answer of a worker, as JSON.
        case answered(String)
        /// No worker has begun.
        case untaken
        /// A worker has begun, and goes on.
        case unfinished
    }

    /// Waits for the answer of a worker.
    ///
    /// - Parameter request: The request that the question is about.
    func answer(to subject: Question.Subject = .dryRun, of request: ComposeRequest) async throws -> Outcome {
        let asked = Asked(subject: subject, request: request)
        let begin = ContinuousClock.now
        let question: Left
        if let old = takeLeft(asked) {
            question = old
        } else {
            question = Left(id: try await store.ask(subject, of: request, for: Self.life), end: begin + Self.life)
        }
        let id = question.id
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        waiting.withLock { $0[id] = wake }
        // A worker may have answered before this moment.
        wake.yield()
        let timer = Task {
            let end = begin + patience
            // A canceled sleep means that nothing waits any more.
            while ContinuousClock.now < end, (try? await Task.sleep(for: Self.interval)) != nil { wake.yield() }
            wake.finish()
        }
        var isLeftToWorker = false
        defer {
            timer.cancel()
            waiting.withLock { $0[id] = nil }
            if isLeftToWorker { left.withLock { $0[asked] = question } } else { withdraw(id) }
        }
        var isTaken = false
        for await _ in wakes {
            switch try await store.progress(of: id) {
            case .answered(let answer): return .answered(answer)
            case .taken: isTaken = true
            case .waiting: if !isTaken, ContinuousClock.now - begin > patienceForBegin { return .untaken }
            }
        }
        try Task.checkCancellation()
        isLeftToWorker = isTaken
        return isTaken ? .unfinished : .untaken
    }

    private func takeLeft(_ asked: Asked) -> Left? {
        left.withLock { left in
            left = left.filter { $0.value.end > .now }
            return left.removeValue(forKey: asked)
        }
    }

    /// Deletes a question. A worker that works on it stops.
    private func withdraw(_ id: Int) {
        let (store, logger) = (store, logger)
        // The request may be canceled, and the row has to go all the same.
        Task {
            do { try await store.withdraw(question: id) } catch {
                logger.warning("could not delete a question", metadata: ["question": "\(id)", "error": "\(error)"])
            }
        }
    }
}
