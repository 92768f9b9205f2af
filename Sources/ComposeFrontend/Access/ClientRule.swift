import ComposeModel
import Identity

/// A client rule is an entry of `access.clients`: the senders that it names, and their permissions.
/// A request must pass all lists of one rule.
public struct ClientRule: Hashable, Sendable {
    /// How much each account that the rule names may have at a time. `nil` means any amount.
    public struct Limits: Hashable, Sendable {
        public var waiting: Int?
        public var underWay: Int?
        /// The number of requests that an account may send in a minute to one frontend.
        public var requestsPerMinute: Int?
        public var gigabytes: Int?
        public var watches: Int?
        /// The number of steps of image builds that may wait or be under way.
        public var buildSteps: Int?
        /// The minutes that workers may spend on image builds within 24 hours.
        public var buildMinutes: Int?
        /// The megabytes of build contexts and components that may be uploaded within 24 hours.
        public var uploadMegabytes: Int?

        public init(
            waiting: Int? = nil, underWay: Int? = nil, requestsPerMinute: Int? = nil, gigabytes: Int? = nil, watches: Int? = nil,
            buildSteps: Int? = nil, buildMinutes: Int? = nil, uploadMegabytes: Int? = nil
        ) {
            self.waiting = waiting
            self.underWay = underWay
            self.requestsPerMinute = requestsPerMinute
            self.gigabytes = gigabytes
            self.watches = watches
            self.buildSteps = buildSteps
            self.buildMinutes = buildMinutes
            self.uploadMegabytes = uploadMegabytes
        }
    }

    /// The name in messages and in the audit.
    public var name: String
    public var members: Members
    public var sourceTypes = AllowedWords.any
    /// For each word of `source`.
    public var sources = AllowedWords.any
    public var flags = AllowedWords.any
    public var results = AllowedWords.any
    public var arches = AllowedWords.any
    public var composeTypes = AllowedWords.any
    /// For target directories other than the default one, which every rule allows.
    public var targetDirs = AllowedWords.none
    /// For the names of Pungi configurations.
    public var rawConfigKeys = AllowedWords.any
    public var deliveries = AllowedWords.any
    /// For the repositories of images that the senders may add, change, build and rebuild.
    public var repositories = AllowedWords.none
    /// Whether the senders may start watches.
    public var watches = true
    /// The longest time to live in seconds. A longer one is reduced to it.
    public var maxSecondsToLive: Int?
    public var limits = Limits()
    /// The share of the workers that an account gets, compared with others whose work waits.
    public var weight = 1.0

    public init(name: String, members: Members) {
        self.name = name
        self.members = members
    }

    /// Returns the first list that does not allow a request, with the word. Returns `nil` if all lists
    /// allow it.
    func refusal(of request: ComposeRequest) -> RuleRefusal? {
        let isRawConfig = request.sourceType == .rawConfig
        let checks: [(String, AllowedWords, [String])] = [
            ("source_types", sourceTypes, [request.sourceType.name]),
            ("sources", sources, request.source),
            ("raw_config_keys", rawConfigKeys, isRawConfig ? request.source.map { String($0.prefix { $0 != "#" }) } : []),
            ("flags", flags, request.flags.names),
            // Every compose has a repository, so the word counts only if it is the only result.
            ("results", results, request.results == .repository ? ["repository"] : request.results.subtracting(.repository).names),
            ("arches", arches, request.arches + request.multilibArches),
            ("compose_types", composeTypes, [request.composeType ?? "test"]),
            ("target_dirs", targetDirs, request.targetDir == "default" ? [] : [request.targetDir]),
            ("deliveries", deliveries, [request.delivery.rawValue]),
        ]
        for (list, allowed, words) in checks {
            if let word = words.first(where: { !allowed.allow($0) }) {
                return RuleRefusal(rule: name, list: list, word: word, allowed: allowed)
            }
        }
        return nil
    }
}

/// A rule refusal is the reason why a rule does not allow a request: a word that is not in one of its
/// lists.
struct RuleRefusal: Hashable, Sendable {
    /// The number of allowed words that a sentence names.
    private static let mostWords = 10

    let rule: String
    let list: String
    let word: String
    let allowed: AllowedWords

    /// The reason as a clause. Example: `access.clients.releng.arches allows x86_64, but not s390x`.
    var text: String {
        let key = "access.clients.\(rule).\(list)"
        guard !allowed.words.isEmpty else { return "\(key) is empty and does not allow \(word)" }
        let more = allowed.words.count > Self.mostWords ? " and \(allowed.words.count - Self.mostWords) more" : ""
        return "\(key) allows \(allowed.words.prefix(Self.mostWords).joined(separator: ", "))\(more), but not \(word)"
    }
}
