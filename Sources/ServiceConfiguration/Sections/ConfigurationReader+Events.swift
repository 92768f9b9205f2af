import ComposeModel
import ComposeStore
public import Deliveries
import ForeignText
import Foundation
import ImageModel
import SystemPackage

/// The receivers of events in a configuration.
extension ConfigurationReader {
    /// Returns the receivers of events, and the limits of the streams.
    public mutating func events() throws -> EventSettings {
        let secrets = try webhookSecrets("events.secret_file")
        var webhooks = try urls("events.webhooks").map { Webhook(name: Webhook.name(of: $0), url: $0, secrets: secrets) }
        let tokenURLs = try urls("events.token_webhooks")
        webhooks += tokenURLs.map { url in
            Webhook(name: "tokens \(Webhook.name(of: url))", url: url, filter: EventFilter(kinds: [.tokens]), secrets: secrets)
        }
        var brokers: [Broker] = []
        for name in try names(below: "events.subscribers") {
            let key = "events.subscribers.\(name)"
            guard name.utf8.count <= 60, name != "log", name.utf8.allSatisfy({ $0.isNameByte }) else {
                throw mistake(key, "cannot be a name. Use at most 60 letters, digits, - and _, and not log")
            }
            let filter = try eventFilter(below: key)
            switch try string("\(key).kind", default: "webhook", allowed: ["webhook", "rabbitmq", "kafka", "amqp"]) {
            case "rabbitmq": brokers.append(Broker(name: name, filter: filter, kind: .rabbitMQ(try rabbitMQ(below: key))))
            case "kafka": brokers.append(Broker(name: name, filter: filter, kind: .kafka(try kafka(below: key))))
            case "amqp": brokers.append(Broker(name: name, filter: filter, kind: .amqp(try amqp(below: key))))
            default:
                guard let url = try optionalURL("\(key).url") else {
                    throw mistake(key, "needs url, the address that events are posted to")
                }
                webhooks.append(Webhook(name: name, url: url, filter: filter, secrets: try webhookSecrets("\(key).secret_file")))
            }
        }
        let settings = EventSettings(
            webhooks: webhooks, brokers: brokers,
            keepDays: try int("events.keep_days", default: 7, in: 1...3650),
            mostStreams: try int("events.max_streams", default: 500, in: 0...1_000_000),
            mostStreamsPerCaller: try int("events.max_streams_per_caller", default: 50, in: 0...1_000_000))
        var names: Set<String> = []
        for name in settings.names where !names.insert(name).inserted {
            throw mistake("events", "has \(name) twice. Give one of them another name in events.subscribers")
        }
        return settings
    }

    private mutating func eventFilter(below key: String) throws -> EventFilter {
        var filter = EventFilter(
            kinds: Set(try choices("\(key).events", default: ["composes", "builds"], StoredEvent.Kind.init(rawValue:))))
        filter.owners = Set(try strings("\(key).owners", default: []))
        let states = ComposeState.allCases.map(\.name) + BuildState.allCases.map(\.name)
        filter.states = Set(try choices("\(key).states", default: []) { states.contains($0) ? $0 : nil })
        filter.sourceTypes = Set(try choices("\(key).source_types", default: [], SourceType.init(name:)))
        return filter
    }

    private mutating func choices<Choice>(_ key: String, default value: [String], _ make: (String) -> Choice?) throws -> [Choice] {
        try strings(key, default: value).map { word in
            guard let choice = make(word) else { throw mistake(key, "cannot have \(word.printable(most: 60))") }
            return choice
        }
    }

    /// Returns the secrets in a file, one on each line. Both of two secrets sign while one replaces the
    /// other.
    private mutating func webhookSecrets(_ key: String) throws -> [WebhookSecret] {
        guard let file = try optionalPath(key) else { return [] }
        guard let text = FileManager.default.contents(atPath: file.string).map({ String(decoding: $0, as: UTF8.self) }) else {
            throw mistake(key, "names a file that does not exist or cannot be read")
        }
        let secrets = try text.split(whereSeparator: \.isNewline).map { line in
            guard let secret = WebhookSecret(String(line)) else {
                throw mistake(key, "names a file with a line that is no secret. A secret is whsec_ and 24 to 64 random bytes in base64")
            }
            return secret
        }
        guard (1...2).contains(secrets.count) else {
            throw mistake(key, "names a file with \(secrets.count) lines. It must have one or two")
        }
        return secrets
    }
}
