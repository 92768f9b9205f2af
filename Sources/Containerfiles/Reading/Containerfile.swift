import ForeignText

/// A *Containerfile* is a text that says how an image is built. It is parsed, and nothing of it is run.
///
/// The format is described at https://docs.docker.com/reference/dockerfile/. Where programs disagree,
/// the stricter reading is taken, because ``ContainerfileRules`` must see what the builder sees.
public struct Containerfile: Hashable, Sendable {
    /// The lines as they are written, without line ends.
    public let lines: [String]
    /// The character that continues a line: a backslash or a backtick.
    public let escape: Unicode.Scalar
    /// The line of the directive `# syntax=`, or `nil` if the file has no such line.
    public let syntaxLine: Int?
    /// The line of an instruction whose here-document the classic dialect does not know, or `nil`.
    public let unreadHereDocument: Int?
    /// The ARG instructions before the first FROM. Only FROM sees their values.
    public let globalArguments: [Instruction]
    public let stages: [Stage]

    /// A *dialect* is the form of Containerfiles that a builder reads.
    public enum Dialect: Hashable, Sendable {
        /// Without here-documents, as buildah before 1.33 reads it: `<<EOF` is text for the shell.
        case classic
        case hereDocuments

        /// The form of Containerfiles that the service builds. The frontend, which checks them, does not know
        /// the builder of the worker. So they have no here-documents, which old builders do not know.
        public static let ofService = Self.classic
    }

    /// The maximum size of a Containerfile in bytes.
    public static let mostBytes = 1 << 20
    private static let mostInstructions = 10000

    /// - Throws: ``ContainerfileProblem`` if the text is not a Containerfile.
    public init(_ text: String, dialect: Dialect = .hereDocuments) throws(ContainerfileProblem) {
        guard text.utf8.count <= Self.mostBytes else {
            throw ContainerfileProblem(line: 1, "the file is larger than \(Self.mostBytes) bytes")
        }
        let body = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        lines = body.parts(at: "\n").map { $0.utf8.last == UInt8(ascii: "\r") ? String(Substring($0.utf8.dropLast())) : $0 }
        for (index, line) in lines.enumerated() where line.utf8.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7F }) {
            throw ContainerfileProblem(line: index + 1, "the line has a control character")
        }
        let directives = try ParserDirectives(lines)
        escape = directives.escape
        syntaxLine = directives.syntaxLine
        var reader = InstructionReader(lines: lines, escape: escape, dialect: dialect)
        var count = 0
        var arguments: [Instruction] = []
        var stages: [Stage] = []
        while let instruction = try reader.instruction() {
            count += 1
            guard count <= Self.mostInstructions else {
                throw ContainerfileProblem(line: instruction.line, "there are more than \(Self.mostInstructions) instructions")
            }
            if instruction.keyword == .from {
                stages.append(try Stage(instruction))
            } else if !stages.isEmpty {
                stages[stages.count - 1].instructions.append(instruction)
            } else if instruction.keyword == .arg {
                arguments.append(instruction)
            } else {
                throw ContainerfileProblem(
                    line: instruction.line, "\(instruction.keyword.rawValue) stands before the first FROM, where only ARG may stand")
            }
        }
        guard !stages.isEmpty else { throw ContainerfileProblem(line: 1, "the file has no FROM") }
        globalArguments = arguments
        unreadHereDocument = reader.unreadHereDocument
        self.stages = stages
    }

    /// The names of all build arguments that the file declares.
    public var declaredArguments: Set<String> {
        let inside = stages.flatMap(\.instructions).filter { $0.keyword == .arg }
        return Set(
            (globalArguments + inside).flatMap { ShellWords.words(of: $0.arguments, escape: escape) }.map {
                $0.halves(at: "=")?.before ?? $0
            })
    }
}
