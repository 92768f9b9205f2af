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
    static let patience = Duration.seconds(60)
    /// The interval at which the database is asked for an answer, because a notification can be lost.
    private static let interval = Duration.seconds(2)

    private let store: ComposeStore
    private let logger: Logger
    private let notifications: @Sendable () -> AsyncStream<PostgresNotification>
    /// The requests that wait, by the ids of their questions.
    private let waiting: Mutex<[Int: AsyncStream<Void>.Continuation]> = Mutex([:])

    /// - Parameter notifications: Returns the notifications of the database, for ``run()``.
    public init(store: ComposeStore, logger: Logger, notifications: @escaping @Sendable () -> AsyncStream<PostgresNotification>) {
        self.store = store
        self.logger = logger
        self.notifications = notifications
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

    /// Returns the answer of a worker, as JSON. Returns `nil` if no answer comes in time.
    ///
    /// - Parameter request: The request that the question is about.
    func answer(to subject: Question.Subject = .dryRun, of request: ComposeRequest) async throws -> String? {
        let id = try await store.ask(subject, of: request, for: Self.patience)
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        waiting.withLock { $0[id] = wake }
        // A worker may have answered before this moment.
        wake.yield()
        let timer = Task {
            let end = ContinuousClock.now + Self.patience
            // A canceled sleep means that nothing waits any more.
            while ContinuousClock.now < end, (try? await Task.sleep(for: Self.interval)) != nil { wake.yield() }
            wake.finish()
        }
        defer {
            timer.cancel()
            waiting.withLock { $0[id] = nil }
            withdraw(id)
        }
        for await _ in wakes {
            if let answer = try await store.answer(to: id) { return answer }
        }
        try Task.checkCancellation()
        return nil
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
