import ComposeModel
import ForeignText

/// Source words are the words of `source`. Their form depends on the source type.
struct SourceWords {
    let limits: RequestLimits
    /// The prefix of the member's name: `source.`, or nothing in the first published form (0.0.1).
    let prefix: String
    /// Whether modules may have dashes in the place of colons.
    let allowsDashedModules: Bool
    /// The names of the configured Pungi configurations.
    let rawConfigs: [String]

    private var name: String { "\(prefix)source" }

    func words(_ body: ComposeRequestBody, type: SourceType) throws(RequestRejection) -> [String] {
        let all = (body.source ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        for length in all.map(\.unicodeScalars.count) where length > limits.maximumWordLength {
            throw .badRequest("\(name) has a word of \(length) characters; \(limits.maximumWordLength) are possible.")
        }
        let words = all.uniqued()
        guard words.count <= limits.maximumListLength else {
            throw .badRequest("\(name) has \(words.count) words; \(limits.maximumListLength) are possible.")
        }
        let rule = type.rule
        guard !words.isEmpty || rule.mayBeEmpty(body) else {
            throw .badRequest("\(name) is missing; for the source type \(type.name) it must be \(rule.meaning).")
        }
        try rule.check(self, words)
        return words
    }

    /// Throws if one of the words is not a module. The first published form has dashes instead of colons.
    /// The dash that stands for a colon is found later, where the modules are known.
    func checkModules(_ words: [String]) throws(RequestRejection) {
        for word in words where !(allowsDashedModules && Self.isDashed(word)) { try WordList.checkModule(word, name) }
    }

    private static func isDashed(_ module: String) -> Bool {
        let parts = module.split(separator: "-", omittingEmptySubsequences: false)
        return (2...9).contains(parts.count) && parts.allSatisfy { !$0.isEmpty } && !module.utf8.contains(UInt8(ascii: ":"))
    }

    /// Throws if the words are not a single NAME#COMMIT of a configuration of this server.
    func checkRawConfig(_ words: [String]) throws(RequestRejection) {
        let parts = words[0].split(separator: "#", omittingEmptySubsequences: false)
        guard words.count == 1, parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw .badRequest("\(name) is \(words.joined(separator: " ").quoted); it must be one NAME#COMMIT of a Pungi configuration.")
        }
        guard rawConfigs.contains(String(parts[0])) else {
            let nearest = NearestNames(names: rawConfigs).sorted(by: String(parts[0])).joined(separator: ", ")
            let known = rawConfigs.isEmpty ? "this server has none" : "these are: \(nearest)"
            throw .badRequest("\(name) names \(parts[0].quoted), which is no Pungi configuration of this server; \(known).")
        }
    }
}
