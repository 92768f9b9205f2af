import ComposeModel
import ComposeStore
import ComposeWorker
import ForeignText
import Foundation
import Glibc
import ImageModel
import SystemPackage

/// Addresses of hosts and of services in a configuration.
extension ConfigurationReader {
    /// Returns a host to listen on: its name, or its address, without a port. Examples: `127.0.0.1`, `::1`.
    mutating func host(_ key: String, default value: String) throws -> String {
        let host = try string(key, default: value)
        guard Self.isAddress(host) || host.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?/) != nil else {
            throw mistake(key, "must be the name of a host or an address such as 127.0.0.1 or ::1, without a port, not \(host)")
        }
        return host
    }

    /// Returns a list of addresses of hosts. Examples: `192.0.2.7`, `2001:db8::7`.
    mutating func addresses(_ key: String) throws -> [String] {
        let addresses = try strings(key, default: [])
        if let wrong = addresses.first(where: { !Self.isAddress($0) }) {
            throw mistake(key, "must be a list of addresses such as 192.0.2.7 or 2001:db8::7, not \(wrong)")
        }
        return addresses
    }

    /// Returns an address to which paths are added. It cannot have a query. Returns `nil` if the key is not
    /// set.
    mutating func optionalBaseURL(_ key: String) throws -> String? {
        guard let url = try optionalString(key) else { return nil }
        guard let parts = Self.parts(of: url), parts.query == nil, parts.fragment == nil, parts.user == nil else {
            throw mistake(key, "must be an address such as https://odcs.example.org/, without a query, not \(url)")
        }
        return url
    }

    mutating func urls(_ key: String) throws -> [String] {
        let urls = try strings(key, default: [])
        if let wrong = urls.first(where: { Self.parts(of: $0) == nil }) {
            throw mistake(key, "must be a list of addresses such as https://example.org/path/, not \(wrong)")
        }
        return urls
    }

    /// Returns the parts of an http or https address with a host, or `nil` for any other text.
    private static func parts(of url: String) -> URLComponents? {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let parts = URLComponents(string: url),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
        else { return nil }
        return parts
    }

    private static func isAddress(_ text: String) -> Bool {
        var four = in_addr()
        var sixteen = in6_addr()
        return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &sixteen) == 1
    }
}

extension ConfigurationReader {
    /// Returns the receivers of events.
    mutating func events() throws -> ServerConfiguration.Events {
        let secrets = try webhookSecrets("events.secret_file")
        var webhooks = try urls("events.webhooks").map { Webhook(name: Webhook.name(of: $0), url: $0, secrets: secrets) }
        let tokenURLs = try urls("events.token_webhooks")
        webhooks += tokenURLs.map { url in
            Webhook(name: "tokens \(Webhook.name(of: url))", url: url, filter: EventFilter(kinds: [.tokens]), secrets: secrets)
        }
        for name in try names(below: "events.subscribers") {
            webhooks.append(try subscriber(name, below: "events.subscribers.\(name)"))
        }
        var names: Set<String> = []
        for webhook in webhooks where !names.insert(webhook.name).inserted {
            throw mistake("events", "has \(webhook.name) twice. Give one of them another name in events.subscribers")
        }
        return ServerConfiguration.Events(
            webhooks: webhooks, hasTokenWebhooks: webhooks.contains { $0.filter.kinds.contains(.tokens) },
            keepDays: try int("events.keep_days", default: 7, in: 1...3650),
            mostStreams: try int("events.max_streams", default: 500, in: 0...1_000_000),
            mostStreamsPerCaller: try int("events.max_streams_per_caller", default: 50, in: 0...1_000_000))
    }

    private mutating func subscriber(_ name: String, below key: String) throws -> Webhook {
        guard name.utf8.count <= 60, name != "log", name.utf8.allSatisfy({ $0.isNameByte }) else {
            throw mistake(key, "cannot be a name. Use at most 60 letters, digits, - and _, and not log")
        }
        guard let url = try optionalURL("\(key).url") else {
            throw mistake(key, "needs url, the address that events are posted to")
        }
        var filter = EventFilter(
            kinds: Set(try choices("\(key).events", default: ["composes", "builds"], StoredEvent.Kind.init(rawValue:))))
        filter.owners = Set(try strings("\(key).owners", default: []))
        let states = ComposeState.allCases.map(\.name) + BuildState.allCases.map(\.name)
        filter.states = Set(try choices("\(key).states", default: []) { states.contains($0) ? $0 : nil })
        filter.sourceTypes = Set(try choices("\(key).source_types", default: [], SourceType.init(name:)))
        return Webhook(name: name, url: url, filter: filter, secrets: try webhookSecrets("\(key).secret_file"))
    }

    private mutating func optionalURL(_ key: String) throws -> String? {
        guard let url = try optionalString(key) else { return nil }
        guard Self.parts(of: url) != nil else { throw mistake(key, "must be an address such as https://example.org/path/, not \(url)") }
        return url
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

extension ServerConfiguration.Frontend {
    /// Whether the frontend listens on all addresses of its host. Clients then cannot use the address that
    /// it listens on.
    var listensEverywhere: Bool { ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"].contains(host) }
}
