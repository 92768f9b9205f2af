import ComposeModel

/// The rule of a source type for the words of `source`.
struct SourceRule: Sendable {
    /// The meaning of the words, as the end of a sentence. Example: "for the source type tag it must be …".
    let meaning: String
    /// Returns whether a request may have no words.
    var mayBeEmpty: @Sendable (ComposeRequestBody) -> Bool = { _ in false }
    /// Throws if the words do not have the form that the type needs. It is called with at least one word,
    /// or with none if ``mayBeEmpty`` allows it.
    var check: @Sendable (SourceWords, [String]) throws(RequestRejection) -> Void = { _, _ in }
}

extension SourceType {
    var rule: SourceRule {
        switch self {
        case .tag: SourceRule(meaning: "a koji tag")
        case .module:
            SourceRule(
                meaning: "modules as N:S, N:S:V or N:S:V:C, with spaces between them",
                mayBeEmpty: { $0.scratchModules?.isEmpty == false },
                check: { (source, words) throws(RequestRejection) in try source.checkModules(words) })
        case .repo:
            SourceRule(meaning: "the place of a repository: an absolute path or a URL, or several with spaces between them")
        case .pulp: SourceRule(meaning: "content sets, with spaces between them")
        case .rawConfig:
            SourceRule(
                meaning: "NAME#COMMIT of a Pungi configuration",
                check: { (source, words) throws(RequestRejection) in try source.checkRawConfig(words) })
        case .build: SourceRule(meaning: "empty", mayBeEmpty: { _ in true })
        case .pungiCompose:
            SourceRule(
                meaning: "the place of a compose's variant, such as https://…/compose/Server, or several with spaces between them")
        }
    }
}
