import ComposeFrontend
import Foundation
import ServiceConfiguration
import SystemPackage

extension ServerConfiguration {
    /// The section `auth`: the ways by which senders show their identity.
    struct Auth: Hashable, Sendable {
        /// A mechanism is a kind of credentials that the service takes.
        enum Mechanism: String, Hashable, Sendable, CaseIterable {
            case tokens, openid, workloads, kerberos, certificates, proxy
        }

        struct Proxy: Hashable, Sendable {
            var trusted: [AddressRange]
            var userHeader: String
            var groupsHeader: String?
            var secretHeader: String?
            var secretFile: FilePath?
        }

        /// The mechanisms in the order in which they are asked. If the list is empty, the
        /// service asks for no credentials.
        var mechanisms: [Mechanism]
        /// The setup for API tokens. It counts only if `tokens` is one of the mechanisms.
        var tokens: TokenService
        /// Nil if `proxy` is not one of the mechanisms.
        var proxy: Proxy?
    }

    /// The time before the end of an API token from which on its owner is warned.
    var tokenWarning: Duration { auth.tokens.warning }
}

/// The keys below `access`, and those below `auth` that belong to no single provider.
extension ConfigurationReader {
    mutating func auth() throws -> ServerConfiguration.Auth {
        let names = ServerConfiguration.Auth.Mechanism.allCases.map(\.rawValue)
        var mechanisms: [ServerConfiguration.Auth.Mechanism] = []
        for name in try strings("auth.mechanisms", default: []) {
            guard let mechanism = ServerConfiguration.Auth.Mechanism(rawValue: name) else {
                throw mistake("auth.mechanisms", "can have \(names.joined(separator: ", ")), not \(name)")
            }
            guard !mechanisms.contains(mechanism) else { throw mistake("auth.mechanisms", "has \(name) twice") }
            mechanisms.append(mechanism)
        }
        let days = try int("auth.tokens.max_days", default: 365, in: 0...36_500)
        let tokens = TokenService(
            mostDays: days == 0 ? nil : days, warnDays: try int("auth.tokens.warn_days", default: 14, in: 0...36_500),
            isSelfService: try bool("auth.tokens.self_service", default: true))
        let proxy = try proxy()
        return ServerConfiguration.Auth(mechanisms: mechanisms, tokens: tokens, proxy: mechanisms.contains(.proxy) ? proxy : nil)
    }

    private mutating func proxy() throws -> ServerConfiguration.Auth.Proxy {
        let key = "auth.proxy.trusted"
        let trusted = try strings(key, default: ["127.0.0.1", "::1"]).map { text in
            guard let range = AddressRange(text) else {
                throw mistake(key, "must be a list of addresses and networks such as 127.0.0.1 or 192.0.2.0/24, not \(text)")
            }
            guard !range.isEverything else {
                throw mistake(key, "has \(text), which is every address: everyone who reaches the service could take any name")
            }
            return range
        }
        let secretHeader = try header("auth.proxy.secret_header")
        let secretFile = try optionalPath("auth.proxy.secret_file")
        guard (secretHeader == nil) == (secretFile == nil) else {
            throw mistake(
                secretHeader == nil ? "auth.proxy.secret_file" : "auth.proxy.secret_header",
                "needs auth.proxy.\(secretHeader == nil ? "secret_header" : "secret_file") too")
        }
        return ServerConfiguration.Auth.Proxy(
            trusted: trusted, userHeader: try header("auth.proxy.user_header", default: "X-Remote-User") ?? "X-Remote-User",
            groupsHeader: try header("auth.proxy.groups_header"), secretHeader: secretHeader, secretFile: secretFile)
    }

    /// Returns the name of a header. A proxy cannot use those that have a meaning of their own.
    private mutating func header(_ key: String, default value: String = "") throws -> String? {
        let name = try string(key, default: value)
        guard !name.isEmpty else { return nil }
        guard name.wholeMatch(of: /[A-Za-z0-9-]+/) != nil,
            !["authorization", "x-api-key", "cookie", "host", "x-forwarded-for"].contains(name.lowercased())
        else { throw mistake(key, "must be the name of a header such as X-Remote-User, with letters, digits and -, not \(name)") }
        return name
    }

    /// Throws if everyone could reach a service that asks for no credentials, and the operator did not say
    /// that this is wanted.
    func checkHost(of frontend: ServerConfiguration.Frontend, _ auth: ServerConfiguration.Auth) throws {
        guard auth.mechanisms.isEmpty, !frontend.isOpenToAll, !FrontendConfiguration.isLoopback(frontend.host) else { return }
        throw mistake(
            "frontend.host",
            "is \(frontend.host), and auth.mechanisms is empty: everyone who reaches this address could do everything. Name the ways by "
                + "which clients show their identity in auth.mechanisms, let the frontend listen on 127.0.0.1, or set "
                + "frontend.open_to_all to true")
    }

    /// Returns the readers of a target directory, or `nil` if everyone may read its composes.
    mutating func readers(ofTarget name: String, _ auth: ServerConfiguration.Auth) throws -> Members? {
        let key = "composes.targets.\(name).readers"
        let readers = Members(
            users: Set(try strings("\(key).users", default: [])), groups: Set(try strings("\(key).groups", default: [])),
            workloads: Set(try strings("\(key).workloads", default: [])))
        if readers.isEmpty { return nil }
        guard !auth.mechanisms.isEmpty else {
            throw mistake(key, "needs auth.mechanisms: without them, the service does not know its readers")
        }
        return readers
    }

    mutating func accessRules() throws -> AccessRules {
        let admins = Members(
            users: Set(try strings("access.admins.users", default: [])), groups: Set(try strings("access.admins.groups", default: [])))
        var clients: [ClientRule] = []
        for name in try names(below: "access.clients") { clients.append(try clientRule(name)) }
        return AccessRules(admins: admins, clients: clients)
    }

    private mutating func clientRule(_ name: String) throws -> ClientRule {
        let key = "access.clients.\(name)"
        guard name.wholeMatch(of: /[A-Za-z0-9_-]{1,64}/) != nil else {
            throw mistake(key, "must have a name of at most 64 letters, digits, _ and -")
        }
        var rule = ClientRule(
            name: name,
            members: Members(
                users: Set(try strings("\(key).users", default: [])), groups: Set(try strings("\(key).groups", default: [])),
                workloads: Set(try strings("\(key).workloads", default: []))))
        rule.sourceTypes = try words("\(key).source_types", default: .any)
        rule.sources = try words("\(key).sources", default: .any)
        rule.flags = try words("\(key).flags", default: .any)
        rule.results = try words("\(key).results", default: .any)
        rule.arches = try words("\(key).arches", default: .any)
        rule.composeTypes = try words("\(key).compose_types", default: .any)
        rule.targetDirs = try words("\(key).target_dirs", default: .none)
        rule.rawConfigKeys = try words("\(key).raw_config_keys", default: .any)
        rule.deliveries = try words("\(key).deliveries", default: .any)
        rule.repositories = try words("\(key).repositories", default: .none)
        rule.watches = try bool("\(key).watches", default: true)
        rule.maxSecondsToLive = try limit("\(key).max_seconds_to_live")
        rule.limits = ClientRule.Limits(
            waiting: try limit("\(key).limits.waiting"), underWay: try limit("\(key).limits.under_way"),
            requestsPerMinute: try limit("\(key).limits.requests_per_minute"), gigabytes: try limit("\(key).limits.gigabytes"),
            watches: try limit("\(key).limits.watches"), buildSteps: try limit("\(key).limits.build_steps"),
            buildMinutes: try limit("\(key).limits.build_minutes"), uploadMegabytes: try limit("\(key).limits.upload_megabytes"))
        rule.weight = Double(try int("\(key).weight", default: 1, in: 1...1000))
        return rule
    }

    /// Returns a limit. 0 stands for none.
    private mutating func limit(_ key: String) throws -> Int? {
        let limit = try int(key, default: 0, in: 0...Int(Int32.max))
        return limit == 0 ? nil : limit
    }

    /// Returns the words of a rule's list. A star can be at the end of a word only.
    private mutating func words(_ key: String, default value: AllowedWords) throws -> AllowedWords {
        let words = AllowedWords(try strings(key, default: value.words, isEmptyAllowed: true))
        if let wrong = words.words.first(where: { $0.dropLast().contains("*") }) {
            throw mistake(key, "has \(wrong), and a star can only be at the end of a word, as in f*")
        }
        if words.words.count > 1, words.words.contains("") {
            throw mistake(key, "has \"\" beside other words. Alone, it allows everything")
        }
        return words
    }
}

extension ServerConfiguration.Frontend {
    /// Whether the frontend listens on all addresses of its host. Clients then cannot use the address that
    /// it listens on.
    var listensEverywhere: Bool { ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"].contains(host) }
}
