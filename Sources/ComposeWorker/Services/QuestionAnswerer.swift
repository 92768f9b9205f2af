import BackgroundWork
public import ComposeModel
public import ComposeStore
import Foundation
import ImageModel
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// A question answerer answers the questions of frontends, ahead of the queue of composes. It has slots
/// of its own, so a question does not wait for a compose.
public struct QuestionAnswerer: Service {
    /// The number of questions that a worker answers at the same time.
    private static let slots = 2
    /// The time after which another worker takes the question of one that ended.
    private static let lease = Duration.seconds(6)

    let configuration: WorkerConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let pipeline: ComposePipeline
    let refusal: @Sendable (ComposeRequest) -> String?
    let logger: Logger
    /// The questions that this worker has left to others.
    private let left = LeftQuestions()

    /// - Parameter refusal: Returns why this worker cannot make the compose of a request, although workers
    ///   that are configured otherwise may be able to. Such a question is left to them.
    public init(
        configuration: WorkerConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, pipeline: ComposePipeline,
        refusal: @escaping @Sendable (ComposeRequest) -> String? = { _ in nil }, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.channel = channel
        self.pipeline = pipeline
        self.refusal = refusal
        self.logger = logger
    }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            for _ in 0..<Self.slots {
                let notifications = listener.notifications(on: channel, where: \.mayBringQuestion)
                group.addTask {
                    await repeatedly(after: notifications, orEvery: configuration.pollInterval, answerAll)
                }
            }
        }
    }

    private func answerAll() async {
        do {
            while let question = try await store.takeQuestion(besides: left.ids, for: Self.lease) {
                if let reason = refusal(question.request) {
                    logger.info("a question is left to another worker", metadata: ["question": "\(question.id)", "reason": "\(reason)"])
                    left.add(question.id)
                    try await store.leave(question)
                } else {
                    try await answer(question)
                }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.workFailed("could not answer questions", error)
        }
    }

    /// Answers a question. Stops as soon as no frontend waits for the answer.
    private func answer(_ question: Question) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await store.answer(question, with: try await text(answering: question))
            }
            group.addTask {
                repeat { try await Task.sleep(for: Self.lease / 3) } while try await store.keep(question, for: Self.lease)
            }
            defer { group.cancelAll() }
            // The first task to end decides.
            try await group.next()
        }
    }

    /// Returns the document that answers a question, as JSON.
    private func text(answering question: Question) async throws -> String {
        func text(_ document: some Encodable) throws -> String { String(decoding: try JSONEncoder.answer.encode(document), as: UTF8.self) }
        do {
            switch question.subject {
            case .dryRun: return try text(try await pipeline.dryRun(question))
            case .absence(let compose, let package): return try text(try await pipeline.whyNot(question, compose: compose, package))
            }
        } catch let error where error is CancellationError || error is PostgresError {
            throw error
        } catch let failure as ComposeFailure where failure.code == .canceled {
            throw CancellationError()
        } catch {
            logger.error(
                "a question failed unexpectedly", metadata: ["question": "\(question.id)", "error": "\(String(reflecting: error))"])
            let sentence = "Something went wrong that should not have; the server's log has it under question \(question.id)."
            switch question.subject {
            case .dryRun:
                return try text(DryRunDocument(outcome: .failure, failure: ComposeFailure(.internal, sentence, isTransient: true)))
            case .absence(let compose, let package):
                return try text(ComposeWhyNotDocument(compose: compose, name: package, verdicts: [.init(.sourceUnusable, sentence)]))
            }
        }
    }
}

/// The last questions that a worker has left to others.
private final class LeftQuestions: Sendable {
    /// More than frontends ask while one of them waits.
    private static let most = 1000

    private let known: Mutex<Set<Int>> = Mutex([])

    var ids: Set<Int> { known.withLock(\.self) }

    func add(_ id: Int) {
        known.withLock { known in
            // Later questions have greater ids.
            if known.count >= Self.most, let first = known.min() { known.remove(first) }
            known.insert(id)
        }
    }
}

extension JSONEncoder {
    /// Writes the answers of workers, which frontends pass on.
    fileprivate static var answer: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension PostgresNotification {
    /// Whether the notification is `question ID`, or means that anything may have happened.
    fileprivate var mayBringQuestion: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("question ")
    }
}
