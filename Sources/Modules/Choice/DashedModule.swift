/// A module as the first published form of a request names it: `NAME-STREAM` or `NAME-STREAM-VERSION`.
///
/// Names and streams may contain dashes themselves. For example, `a-b-1` can mean the stream `1` of
/// `a-b`, the stream `b-1` of `a`, or the version 1 of the stream `b` of `a`. The known modules decide
/// which meaning applies.
public struct DashedModule: Sendable {
    /// The largest accepted number of dashes. Each dash adds questions to a catalog.
    public static let mostDashes = 8

    /// The text as the user wrote it.
    public let text: String
    /// All possible meanings of the text.
    let candidates: [ModuleReference]

    /// Reads a text. Returns `nil` if it has a colon, no dash between two parts, or more than
    /// ``mostDashes`` dashes.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard (2...Self.mostDashes + 1).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), !text.utf8.contains(UInt8(ascii: ":"))
        else { return nil }
        func joined(_ range: Range<Int>) -> String { parts[range].joined(separator: "-") }
        var candidates: [ModuleReference] = []
        for end in 1..<parts.count {
            candidates.append(ModuleReference(name: joined(0..<end), stream: joined(end..<parts.count)))
            if end < parts.count - 1, let version = UInt64(parts[parts.count - 1]) {
                candidates.append(
                    ModuleReference(name: joined(0..<end), stream: joined(end..<parts.count - 1), version: version))
            }
        }
        self.text = text
        self.candidates = candidates
    }

    /// Returns the meanings that match any of `builds`.
    public func meanings(among builds: Set<NSVC>) -> [ModuleReference] {
        candidates.filter { candidate in builds.contains(where: candidate.includes) }
    }

    /// Returns the only meaning for which the catalog has builds.
    ///
    /// - Throws: ``ModuleChoiceError`` if no meaning or several meanings have builds, and the errors of the
    ///   catalog.
    public func reference(in catalog: any ModuleCatalog, rules: ModuleChoice.Rules) async throws -> ModuleReference {
        var known: [ModuleReference] = []
        for candidate in candidates where !rules.baseModules.contains(candidate.name) {
            if try await !catalog.builds(of: candidate, filter: rules.filter).isEmpty { known.append(candidate) }
        }
        guard let first = known.first else {
            let meanings = candidates.map(\.description).joined(separator: ", ")
            throw ModuleChoiceError(
                .notFound, "There is no module \(text) in \(catalog.name). It was looked for as \(meanings).",
                findings: [.init(module: text)])
        }
        guard known.count == 1 else {
            throw ModuleChoiceError(
                .notFound,
                "The module \(text) can be each of \(known.map(\.description).joined(separator: ", ")). Name it with colons, as one of these.",
                findings: [.init(module: text, nearest: known.map(\.description))])
        }
        return first
    }
}
