import ComposeModel
import ComposeStore
import ForeignText
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The handlers of events: `/api/1/events`, as JSON or as a stream, and the stream of one compose.
struct EventController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore
    let feed: EventFeed
    let composes: ComposeController
    private let messages = EventTexts()

    /// The longest time of a stream. The reader connects again afterwards, and its credentials are checked
    /// again.
    private static let longestStream = Duration.seconds(3600)

    init(configuration: FrontendConfiguration, store: ComposeStore, feed: EventFeed, composes: ComposeController) {
        self.configuration = configuration
        self.store = store
        self.feed = feed
        self.composes = composes
    }

    var resources: [Resource] {
        [
            Resource("/api/1/events", [.get: .open(events)]),
            Resource("/api/1/composes/{id}/events", [.get: .open(eventsOfCompose)]),
        ]
    }

    func events(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let query = try EventQuery(request.uri.query, lastEventID: request.headers[.lastEventID])
        if query.filter.kinds.contains(.tokens) { try checkTokens(context) }
        let reader = reader(query.filter, request, context)
        guard request.wantsStream else { return try await list(query, reader, request, context) }
        let place = try place(request, context)
        let bounds = try await store.eventBounds()
        let start = query.after ?? bounds.last
        let isLost = start > bounds.last || start < bounds.deletedTo
        return ServerSentEvents.response { [feed] events in
            defer { withExtendedLifetime(place) {} }
            var position = start
            if isLost {
                position = bounds.last
                try await events.send("reset", id: "\(position)", data: ["{\"next\": \(position)}"])
            }
            try await feed.withWakes(lasting: Self.longestStream) { wakes in
                for await _ in wakes {
                    var page: EventReader.Page
                    repeat {
                        page = try await reader.page(after: position, limit: 100)
                        for item in page.items { try await events.send(item.name, id: "\(item.position)", data: [item.json]) }
                        position = page.next
                    } while page.hasMore
                    try await events.sendSignOfLife()
                }
            }
        }
    }

    private func list(_ query: EventQuery, _ reader: EventReader, _ request: Request, _ context: FrontendContext) async throws -> Response {
        let bounds = try await store.eventBounds()
        let start = query.after ?? bounds.last
        guard start <= bounds.last else {
            throw RequestRejection.badRequest(
                "\(query.nameOfAfter) is \(start), but the last event is \(bounds.last). Ask without it to begin with the next event.")
        }
        guard start >= bounds.deletedTo else {
            throw RequestRejection(
                .gone,
                "The events after \(start) are deleted up to \(bounds.deletedTo), because of their age. Ask with after=\(bounds.deletedTo) "
                    + "for those that are left.")
        }
        var page = try await reader.page(after: start, limit: query.limit)
        // Without a place, the answer comes at once.
        if page.items.isEmpty, query.wait > 0, let place = feed.place(for: caller(request, context)) {
            page = try await feed.withWakes(lasting: .seconds(query.wait)) { wakes in
                for await _ in wakes {
                    repeat {
                        page = try await reader.page(after: page.next, limit: query.limit)
                    } while page.items.isEmpty && page.hasMore
                    if !page.items.isEmpty { break }
                }
                return page
            }
            withExtendedLifetime(place) {}
        }
        let items = page.items.map { "{\"position\":\($0.position),\"message\":\($0.json)}" }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(
                byteBuffer: ByteBuffer(string: "{\"events\":[\(items.joined(separator: ","))],\"next\":\(page.next)}")))
    }

    func eventsOfCompose(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        // A page names the place up to which it shows the log. A browser that connects again names a later one.
        let after = try QueryItems(request.uri.query).items.last { $0.key == "after" && !$0.value.isEmpty }?.value
        let cursor = try (request.headers[.lastEventID] ?? after).map { text throws(RequestRejection) in try ComposeStreamCursor(text) }
        let bounds = try await store.eventBounds()
        let compose = try await composes.compose(id, for: context.subject.sender)
        // EventSource does not connect again after this answer.
        if cursor?.isEnd == true { return Response(status: .noContent) }
        let place = try place(request, context)
        var filter = EventFilter(kinds: [.composes])
        filter.compose = id
        let stream = ComposeStream(
            compose: compose, cursor: cursor, bounds: bounds, reader: reader(filter, request, context),
            targets: configuration.targets, store: store, logger: context.logger)
        return ServerSentEvents.response { [feed] events in
            defer { withExtendedLifetime(place) {} }
            var stream = stream
            try await stream.run(over: feed, lasting: Self.longestStream, into: &events)
        }
    }

    // MARK: Readers

    private func reader(_ filter: EventFilter, _ request: Request, _ context: FrontendContext) -> EventReader {
        EventReader(
            feed: feed, store: store, filter: filter, hiddenTargets: configuration.access.hiddenTargets(from: context.subject.sender),
            urls: PublicURLs(configuration, request), messages: messages)
    }

    /// Tokens are for admins.
    private func checkTokens(_ context: FrontendContext) throws(RequestRejection) {
        _ = try configuration.access.grant(.admin, to: context.subject.sender)
    }

    private func caller(_ request: Request, _ context: FrontendContext) -> String {
        configuration.callers.name(of: request, context)
    }

    private func place(_ request: Request, _ context: FrontendContext) throws(RequestRejection) -> EventFeed.Place {
        guard let place = feed.place(for: caller(request, context)) else {
            throw RequestRejection(
                .tooManyRequests, .eventStreams, "Too many event streams are open. End one, or try again later.",
                headers: [.retryAfter: "30"])
        }
        return place
    }
}

extension ComposeController {
    /// Waits until a compose has another state, if the query asks for it: `wait=30` waits until the state
    /// is final, and `wait=30&while=wait` waits until the state is not `wait`. Returns when the time is
    /// over as well.
    func waitIfAsked(_ id: Int, _ request: Request, _ context: FrontendContext, feed: EventFeed) async throws {
        var seconds = 0
        var state: ComposeState?
        for (key, value) in try QueryItems(request.uri.query).items where !value.isEmpty {
            switch key {
            case "wait": seconds = min(try QueryItems.number(value, key, from: 0), EventQuery.longestWait)
            case "while":
                guard let known = ComposeState(name: value) else {
                    let states = ComposeState.allCases.map(\.name).joined(separator: ", ")
                    throw RequestRejection.badRequest("while cannot be \(value.quoted). Use one of these: \(states).")
                }
                state = known
            default: break
            }
        }
        func isOver(_ compose: Compose) -> Bool { state.map { compose.state != $0 } ?? compose.state.isFinal }
        try await feed.wait(
            for: .compose(id), as: configuration.callers.name(of: request, context), atMost: .seconds(seconds)
        ) {
            isOver(try await compose(id, for: context.subject.sender))
        }
    }
}

extension Request {
    /// Whether the client asks for a stream of events.
    fileprivate var wantsStream: Bool {
        headers[values: .accept].contains { $0.lowercased().contains("text/event-stream") }
    }
}
