import ComposeModel

/// A module as the first published form of a request names it: `NAME-STREAM` or `NAME-STREAM-VERSION`.
///
/// Names and streams can have dashes themselves: `a-b-1` is the stream `1` of `a-b`, the stream `b-1` of `a`, or the version 1 of the stream
/// `b` of `a`. The modules that are known decide which of them is meant.
public struct DashedModule: Sendable {
    /// More dashes would be more questions to a catalog than a word is worth.
    public static let mostDashes = 8

    /// As it was written.
    public let text: String
    /// All that it can mean.
    let candidates: [ModuleReference]

    /// `nil` for a text that has a colon, or no dash between two parts, or too many dashes.
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

    /// The meanings by which some of `builds` may have been asked for.
    public func meanings(among builds: Set<NSVC>) -> [ModuleReference] {
        candidates.filter { candidate in builds.contains(where: candidate.includes) }
    }

    /// Finds the one meaning of which the catalog has builds.
    ///
    /// - Throws: `ComposeFailure`, if there is none or more than one, and what the catalog throws.
    public func reference(in catalog: any ModuleCatalog, rules: ModuleChoice.Rules) async throws -> ModuleReference {
        var known: [ModuleReference] = []
        for candidate in candidates where !rules.baseModules.contains(candidate.name) {
            if try await !catalog.builds(of: candidate, filter: rules.filter).isEmpty { known.append(candidate) }
        }
        guard let first = known.first else {
            let meanings = candidates.map(\.description).joined(separator: ", ")
            throw ComposeFailure(
                .packageNotFound, "There is no module \(text) in \(catalog.name). It was looked for as \(meanings).",
                details: [.init(package: text)])
        }
        guard known.count == 1 else {
            throw ComposeFailure(
                .packageNotFound,
                "The module \(text) can be each of \(known.map(\.description).joined(separator: ", ")). Name it with colons, as one of these.",
                details: [.init(package: text, nearest: known.map(\.description))])
        }
        return first
    }
}
