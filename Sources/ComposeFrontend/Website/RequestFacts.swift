import ComposeModel
import ForeignText

extension Fact {
    /// Creates a fact with a list of words. Returns `nil` for an empty list.
    init?(_ name: String, words: [String]) {
        guard !words.isEmpty else { return nil }
        self.init(name, words.joined(separator: " ").shown(1000))
    }

    /// Returns what a request asks for besides its source, packages and builds.
    ///
    /// - Parameters:
    ///   - arches: The architectures, which may have come from the source.
    ///   - sigkeys: The signing keys. The empty key stands for unsigned packages.
    static func further(of request: ComposeRequest, arches: [String], sigkeys: [String]) -> [Fact] {
        [
            Fact("Architectures", words: arches), Fact("Signing keys", words: sigkeys.map { $0.isEmpty ? "unsigned" : $0 }),
            Fact("Flags", words: request.flags.names), Fact("Results", words: request.results.names),
            Fact("Modules", words: request.modules), Fact("Lookaside", words: request.lookasideRepos),
            Fact("Multilib", words: request.multilibArches), Fact("Scratch builds", words: request.scratchBuildTasks),
            request.label.map { Fact("Label", $0.shown(200)) },
            request.targetDir == "default" ? nil : Fact("Target directory", request.targetDir.shown(200)),
        ].compactMap(\.self)
    }
}
