/// A *run mount* is a mount that ODCS adds to each RUN of a Containerfile. It leaves no trace in a
/// layer.
public struct RunMount: Hashable, Sendable, CustomStringConvertible {
    /// The flag, for example `--mount=type=bind,from=odcs,source=/,target=/run/odcs`.
    public let description: String
    /// The path in the container.
    public let target: String

    /// Creates a read-only mount of a folder or file of a build context. Returns `nil` if a text has other
    /// characters than letters, digits and `_ . / + : -`, because it could then become another flag.
    public init?(context: String, source: String, target: String) {
        guard [context, source, target].allSatisfy(Self.isPlain) else { return nil }
        description = "--mount=type=bind,from=\(context),source=\(source),target=\(target)"
        self.target = target
    }

    /// Creates a mount of a folder that the node keeps for later builds, for example of ccache. Returns
    /// `nil` for the same reason as the other one.
    public init?(cache id: String, target: String) {
        guard [id, target].allSatisfy(Self.isPlain) else { return nil }
        description = "--mount=type=cache,id=\(id),target=\(target)"
        self.target = target
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || "_./+:-".unicodeScalars.contains($0)
            }
    }
}

extension Containerfile {
    /// Returns the text of the file with `mounts` at each RUN. All other lines stay as they are.
    public func text(adding mounts: [RunMount]) -> String {
        var lines = lines
        for instruction in stages.flatMap(\.instructions) where instruction.keyword == .run { instruction.add(mounts, to: &lines) }
        return lines.joined(separator: "\n")
    }
}

extension Instruction {
    /// Adds `mounts` after the keyword of the instruction.
    func add(_ mounts: [RunMount], to lines: inout [String]) {
        guard !mounts.isEmpty else { return }
        let line = lines[self.line - 1]
        let rest = line.withoutLeadingBlanks
        let blanks = String(repeating: " ", count: line.utf8.count - rest.utf8.count)
        let word = rest.firstWord.word
        lines[self.line - 1] =
            blanks + ([word] + mounts.map(\.description)).joined(separator: " ") + String(Substring(rest.utf8.dropFirst(word.utf8.count)))
    }
}
