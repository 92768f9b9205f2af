import ArgumentParser
import ComposeStore
import Deliveries
import ForeignText
import Foundation

/// The commands for the receivers of events on the host of the service. They need no running server.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "List the subscribers of events and their dead letters, and send events again.",
        subcommands: [List.self, DeadLetters.self, Replay.self, Pause.self, Resume.self, Forget.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the subscribers, with their lag and the last problem.")

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let brokers = Set(try options.load().events.brokers.map(\.name))
            try await options.withStore { store in
                let subscribers = try await store.subscribers()
                for subscriber in subscribers { print(subscriber.line(isBroker: brokers.contains(subscriber.name))) }
                for name in brokers.subtracting(subscribers.map(\.name)).sorted() {
                    print("\(name)  no odcs-publisher has served it yet")
                }
            }
        }
    }

    struct DeadLetters: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dead-letters", abstract: "List the events that a subscriber refused, or lost because of their age.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The name of the subscriber, as 'odcs-server events list' shows it.") var name: String

        func run() async throws {
            try await options.withStore { store in
                let subscriber = try await store.subscriber(named: name)
                for letter in try await store.deadLetters(of: subscriber.id, limit: 1000) { print(letter.line) }
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send the dead letters of a subscriber again.",
            discussion: "Example: odcs-server events replay ci --after 41 sends all events after position 41 again, too.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The name of the subscriber.") var name: String
        @Option(help: "Also send the events after this position again.") var after: Int?

        func run() async throws {
            try await options.withStore { store in
                let subscriber = try await store.subscriber(named: name)
                if let after, !(0...subscriber.position).contains(after) {
                    throw ValidationError("--after must be between 0 and \(subscriber.position), the position of the subscriber.")
                }
                let letters = try await store.replay(subscriber.id, after: after) ?? 0
                print(letters == 1 ? "1 dead letter is sent again." : "\(letters) dead letters are sent again.")
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Pause the deliveries to a subscriber. Its events wait.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The name of the subscriber.") var name: String

        func run() async throws {
            try await options.withStore { store in
                let subscriber = try await store.subscriber(named: name)
                _ = try await store.pause(subscriber.id, true)
                print("\(subscriber.name.printable()) is paused. Its events wait.")
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Resume the deliveries to a subscriber.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The name of the subscriber.") var name: String

        func run() async throws {
            try await options.withStore { store in
                let subscriber = try await store.subscriber(named: name)
                _ = try await store.pause(subscriber.id, false)
                print("\(subscriber.name.printable()) gets its events from position \(subscriber.position + 1) on.")
            }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a subscriber that the configuration does not name any more, with its dead letters.",
            discussion: "A subscriber that is configured begins anew with the next event, and loses those that it has not taken yet.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The name of the subscriber.") var name: String
        @Flag(help: "Also delete a subscriber that is configured or in use.") var force = false

        func run() async throws {
            let isConfigured = try options.load().events.names.contains(name)
            try await options.withStore { store in
                let subscriber = try await store.subscriber(named: name)
                if !force {
                    guard !isConfigured else {
                        throw ValidationError("\(name.printable()) is in the configuration. Remove it there first, or use --force.")
                    }
                    guard !subscriber.isServed else {
                        throw ValidationError(
                            "A process still serves \(name.printable()). Wait three minutes after its end, or use --force.")
                    }
                }
                _ = try await store.forgetSubscriber(subscriber.id)
                print("\(name.printable()) is deleted\(subscriber.loss.map { ", with \($0)" } ?? "").")
            }
        }
    }
}

extension ComposeStore {
    fileprivate func subscriber(named name: String) async throws -> Subscriber {
        let subscribers = try await subscribers()
        guard let subscriber = subscribers.first(where: { $0.name == name }) else {
            let names = subscribers.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no subscriber \(name.printable()). The subscribers are: \(names).")
        }
        return subscriber
    }
}

extension Subscriber {
    /// The subscriber as one line for people.
    fileprivate func line(isBroker: Bool) -> String {
        var words = [name, "position \(position)", behind == 1 ? "1 event behind" : "\(behind) events behind"]
        if behind > 0 { words.append("for \(Int(lagSeconds)) seconds") }
        if deadLetters > 0 { words.append(deadLetters == 1 ? "1 dead letter" : "\(deadLetters) dead letters") }
        if let pausedAt { words.append("paused since \(pausedAt.formatted(.iso8601))") }
        if !isServed { words.append(isBroker ? "no odcs-publisher serves it" : "no worker serves it") }
        if let problem { words.append("\(failures == 1 ? "1 failure" : "\(failures) failures"): \(problem)") }
        if let retryAt { words.append("next attempt \(retryAt.formatted(.iso8601))") }
        return words.map { $0.printable() }.joined(separator: "  ")
    }
}

extension Subscriber {
    /// The events that are lost with the subscriber. Example: `3 events that it has not taken and 1 dead
    /// letter`.
    fileprivate var loss: String? {
        var words: [String] = []
        if behind > 0 { words.append("\(behind == 1 ? "1 event" : "\(behind) events") that it has not taken") }
        if deadLetters > 0 { words.append(deadLetters == 1 ? "1 dead letter" : "\(deadLetters) dead letters") }
        return words.isEmpty ? nil : words.joined(separator: " and ")
    }
}

extension DeadLetter {
    /// The dead letter as one line for people.
    fileprivate var line: String {
        var words = [diedAt.formatted(.iso8601)]
        if let event { words.append("position \(event.position)  \(event.object)") }
        if let lost { words.append(lost == 1 ? "1 event" : "\(lost) events") }
        if attempts > 0 { words.append(attempts == 1 ? "1 attempt" : "\(attempts) attempts") }
        words.append(problem)
        if replayedAt != nil { words.append("is sent again") }
        return words.map { $0.printable() }.joined(separator: "  ")
    }
}
