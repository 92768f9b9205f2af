import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird

/// The handlers of `/api/1/subscribers`: admins see the receivers of events and their dead letters, and
/// have events sent again.
struct SubscriberController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource("/api/1/subscribers", [.get: .needs(.admin, list)]),
            Resource("/api/1/subscribers/{id}", [.get: .needs(.admin, show)]),
            Resource("/api/1/subscribers/{id}/replay", [.post: .needs(.admin, replay)]),
            Resource("/api/1/subscribers/{id}/pause", [.post: .needs(.admin, pause)]),
            Resource("/api/1/subscribers/{id}/resume", [.post: .needs(.admin, resume)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        try .json(SubscriberList(items: try await store.subscribers().map { SubscriberDocument($0) }))
    }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let subscriber = try await subscriber(context)
        var document = SubscriberDocument(subscriber)
        document.letters = try await store.deadLetters(of: subscriber.id).map(DeadLetterDocument.init)
        return try .json(document)
    }

    private func replay(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let subscriber = try await subscriber(context)
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["after"])
        let after = try body.integer("after")
        if let after, !(0...subscriber.position).contains(after) {
            throw RequestRejection.badRequest(
                "after must be between 0 and \(subscriber.position), the position of the subscriber, not \(after).")
        }
        guard let letters = try await store.replay(subscriber.id, after: after) else { throw Self.noSuchSubscriber("\(subscriber.id)") }
        let events = after.map { " The events after \($0) are sent again as well." } ?? ""
        let sent = letters == 1 ? "1 dead letter is sent again." : "\(letters) dead letters are sent again."
        return try .json(Acknowledgement(message: "\(sent)\(events)"), status: .accepted)
    }

    func pause(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        try await pause(true, context)
    }

    func resume(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        try await pause(false, context)
    }

    private func pause(_ isPaused: Bool, _ context: FrontendContext) async throws -> Response {
        let subscriber = try await subscriber(context)
        guard try await store.pause(subscriber.id, isPaused) else { throw Self.noSuchSubscriber("\(subscriber.id)") }
        return try .json(
            Acknowledgement(message: "The deliveries to \(subscriber.name) are \(isPaused ? "paused" : "resumed")."), status: .accepted)
    }

    func subscriber(_ context: FrontendContext) async throws -> Subscriber {
        let text = context.parameters.get("id") ?? ""
        guard let id = Int(text), let subscriber = try await store.subscribers().first(where: { $0.id == id }) else {
            throw Self.noSuchSubscriber(text)
        }
        return subscriber
    }

    private static func noSuchSubscriber(_ text: String) -> RequestRejection {
        RequestRejection(.notFound, "There is no subscriber \(text.quoted). /api/1/subscribers/ lists all.")
    }
}

private struct SubscriberList: Encodable {
    let items: [SubscriberDocument]
}

private struct SubscriberDocument: Encodable {
    let id: Int
    let name: String
    let position, behind: Int
    let lagSeconds: Double
    let failures: Int
    let problem, timeOfRetry, timePaused, timeDelivered: String?
    let isServed: Bool
    let deadLetters: Int
    /// The dead letters themselves, if one subscriber is shown.
    var letters: [DeadLetterDocument]?

    enum CodingKeys: String, CodingKey {
        case id, name, position, behind, failures, problem
        case lagSeconds = "lag_seconds"
        case timeOfRetry = "time_of_retry"
        case timePaused = "time_paused"
        case timeDelivered = "time_delivered"
        case isServed = "is_served"
        case deadLetters = "dead_letters"
        case letters
    }

    init(_ subscriber: Subscriber) {
        id = subscriber.id
        name = subscriber.name
        position = subscriber.position
        behind = subscriber.behind
        lagSeconds = subscriber.lagSeconds
        failures = subscriber.failures
        problem = subscriber.problem
        timeOfRetry = subscriber.retryAt.map(ComposeDocument.format)
        timePaused = subscriber.pausedAt.map(ComposeDocument.format)
        timeDelivered = subscriber.deliveredAt.map(ComposeDocument.format)
        isServed = subscriber.isServed
        deadLetters = subscriber.deadLetters
    }
}

private struct DeadLetterDocument: Encodable {
    let id: Int
    /// The position of the event, and the compose, build or token that it is about. Missing if events were
    /// deleted.
    let position: Int?
    let object: String?
    let lost: Int?
    let problem: String
    let attempts: Int
    let timeDied: String
    let timeReplayed: String?

    enum CodingKeys: String, CodingKey {
        case id, position, object, lost, problem, attempts
        case timeDied = "time_died"
        case timeReplayed = "time_replayed"
    }

    init(_ letter: DeadLetter) {
        id = letter.id
        position = letter.event?.position
        object = letter.event.map { $0.object.description }
        lost = letter.lost
        problem = letter.problem
        attempts = letter.attempts
        timeDied = ComposeDocument.format(letter.diedAt)
        timeReplayed = letter.replayedAt.map(ComposeDocument.format)
    }
}
