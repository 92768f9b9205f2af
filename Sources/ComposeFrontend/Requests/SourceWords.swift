import ComposeModel
import ForeignText

/// Source words are the words of `source`. Their form depends on the source type.
struct SourceWords {
    let limits: RequestLimits
    /// The prefix of the member's name: `source.`, or nothing in the first published form (0.0.1).
    let prefix: String

    func words(_ body: ComposeRequestBody, type: SourceType, rawConfigs: [String]) throws(RequestRejection) -> [String] {
        let name = "\(prefix)source"
        let all = (body.source ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        for length in all.map(\.unicodeScalars.count) where length > limits.maximumWordLength {
            throw .badRequest("\(name) has a word of \(length) characters; \(limits.maximumWordLength) are possible.")
        }
        let words = all.uniqued()
        guard words.count <= limits.maximumListLength else {
            throw .badRequest("\(name) has \(words.count) words; \(limits.maximumListLength) are possible.")
        }
        let isOptional = type == .build || (type == .module && body.scratchModules?.isEmpty == false)
        guard !words.isEmpty || isOptional else {
            throw .badRequest("\(name) is missing; for the source type \(type.name) it must be \(Self.meaning(of: type)).")
        }
        switch type {
        case .module:
            // The first published form has dashes instead of colons. The dash that stands for a colon is found
            // later, where the modules are known.
            for word in words where !(prefix.isEmpty && Self.isDashed(word)) { try WordList.checkModule(word, name) }
        case .rawConfig:
            try checkRawConfig(words, name, rawConfigs)
        case .tag, .repo, .pulp, .build, .pungiCompose: break
        }
        return words
    }

    private static func isDashed(_ module: String) -> Bool {
        let parts = module.split(separator: "-", omittingEmptySubsequences: false)
        return (2...9).contains(parts.count) && parts.allSatisfy { !$0.isEmpty } && !module.utf8.contains(UInt8(ascii: ":"))
    }

    private static func meaning(of type: SourceType) -> String {
        switch type {
        case .tag: "a koji tag"
        case .module: "modules as N:S, N:S:V or N:S:V:C, with spaces between them"
        case .repo: "the place of a repository: an absolute path or a URL, or several with spaces between them"
        case .pulp: "content sets, with spaces between them"
        case .rawConfig: "NAME#COMMIT of a Pungi configuration"
        case .build: "empty"
        case .pungiCompose: "the place of a compose's variant, such as https://…/compose/Server, or several with spaces between them"
        }
    }

    private func checkRawConfig(_ words: [String], _ name: String, _ rawConfigs: [String]) throws(RequestRejection) {
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
