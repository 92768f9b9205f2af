import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import Identity
import Synchronization

/// An event reader reads the events that one request may see, as messages.
struct EventReader: Sendable {
    let feed: EventFeed
    let store: ComposeStore
    let filter: EventFilter
    /// The target directories whose composes the sender may not see.
    let hiddenTargets: Set<String>
    let urls: PublicURLs
    let messages: EventTexts

    /// An event as the API shows it.
    struct Item: Sendable {
        let position: Int
        let name: String
        /// The message in JSON, on one line.
        let json: String
        let event: StoredEvent
    }

    /// Events that follow a position.
    struct Page: Sendable {
        var items: [Item] = []
        /// The position of the last event that was looked at.
        var next: Int
        /// Whether the database may have further events.
        var hasMore = false
    }

    /// The maximum number of batches that one page looks at. A filter may match few events.
    private static let mostBatches = 10

    /// - Parameter last: The position of an event that the page must not miss.
    func page(after position: Int, havingAtLeast last: Int = 0, limit: Int) async throws -> Page {
        var page = Page(next: position)
        for _ in 0..<Self.mostBatches {
            let batch = try await feed.events(after: page.next, havingAtLeast: last, roughly: filter)
            for event in batch.events {
                page.next = event.position
                if filter.matches(event), isVisible(event), let item = try await item(event) { page.items.append(item) }
                if page.items.count == limit {
                    page.hasMore = true
                    return page
                }
            }
            page.next = batch.end
            page.hasMore = batch.hasMore
            if !batch.hasMore { break }
        }
        return page
    }

    private func isVisible(_ event: StoredEvent) -> Bool {
        guard case .compose(let compose) = event.subject else { return true }
        return !hiddenTargets.contains(compose.request.targetDir)
    }

    private func item(_ event: StoredEvent) async throws -> Item? {
        let key = EventTexts.Key(position: event.position, base: urls.base)
        if let known = messages[key] { return known }
        guard let message = try await store.message(of: event, targetURL: urls.target, serverURL: urls.base) else { return nil }
        let json = String(decoding: Array(try JSONEncoder.answer(message)), as: UTF8.self)
        let item = Item(position: event.position, name: message.event.rawValue, json: json, event: event)
        messages.keep(item, for: key)
        return item
    }
}

/// The texts of recent messages, so that many readers of the same event share one.
final class EventTexts: Sendable {
    struct Key: Hashable {
        let position: Int
        /// The base of the addresses in the message.
        let base: String
    }

    private struct State {
        var items: [Key: EventReader.Item] = [:]
        var bytes = 0
    }

    /// The size limit of all texts in bytes. If there is no room for another one, all of them are dropped.
    private static let room = 16 << 20
    /// The approximate bytes of an entry besides its text.
    private static let bytesOfEntry = 400

    private let state = Mutex(State())

    subscript(key: Key) -> EventReader.Item? { state.withLock { $0.items[key] } }

    func keep(_ item: EventReader.Item, for key: Key) {
        let bytes = item.json.utf8.count + Self.bytesOfEntry
        state.withLock { state in
            guard state.items[key] == nil, bytes <= Self.room else { return }
            if state.bytes + bytes > Self.room { state = State() }
            state.items[key] = item
            state.bytes += bytes
        }
    }
}
