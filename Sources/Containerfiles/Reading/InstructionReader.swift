import ForeignText

/// An instruction reader joins the lines of a Containerfile to instructions.
struct InstructionReader {
    let lines: [String]
    let escape: Unicode.Scalar
    let dialect: Containerfile.Dialect
    /// The index of the line to read next.
    private var next = 0
    /// The line of the last instruction whose here-document the classic dialect does not know.
    private(set) var unreadHereDocument: Int?

    init(lines: [String], escape: Unicode.Scalar, dialect: Containerfile.Dialect) {
        self.lines = lines
        self.escape = escape
        self.dialect = dialect
    }

    /// Returns the next instruction, or `nil` at the end of the file.
    mutating func instruction() throws(ContainerfileProblem) -> Instruction? {
        while next < lines.count, Self.isSkipped(lines[next]) { next += 1 }
        guard next < lines.count else { return nil }
        let first = next + 1
        let (word, rest) = logicalLine().firstWord
        let keyword = try keyword(word, line: first)
        var flags: [Instruction.Flag] = []
        var arguments = rest
        if keyword.flags != nil { arguments = try takeFlags(of: keyword, from: rest, into: &flags, line: first) }
        let documents = try hereDocuments(of: keyword, arguments, line: first)
        if arguments.isEmpty { throw ContainerfileProblem(line: first, "\(keyword.rawValue) needs an argument") }
        return Instruction(keyword: keyword, lines: first...next, flags: flags, arguments: arguments, hereDocuments: documents)
    }

    /// Returns whether a line is empty or a comment. Both may stand between continuation lines.
    private static func isSkipped(_ line: String) -> Bool {
        let first = line.withoutLeadingBlanks.utf8.first
        return first == nil || first == UInt8(ascii: "#")
    }

    private mutating func logicalLine() -> String {
        var (text, continues) = Self.continuation(of: lines[next].withoutLeadingBlanks, escape: escape)
        next += 1
        while continues, next < lines.count {
            let line = lines[next]
            next += 1
            if Self.isSkipped(line) { continue }
            let (part, more) = Self.continuation(of: line, escape: escape)
            text += part
            continues = more
        }
        return text.trimmed
    }

    /// Returns a line without the escape character at its end, and whether there was one. Two of them do
    /// not continue a line.
    private static func continuation(of line: String, escape: Unicode.Scalar) -> (text: String, continues: Bool) {
        var bytes = Substring(line).utf8
        while let last = bytes.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { bytes.removeLast() }
        guard bytes.last == UInt8(ascii: escape) else { return (line, false) }
        bytes.removeLast()
        return bytes.last == UInt8(ascii: escape) ? (line, false) : (String(Substring(bytes)), true)
    }

    private func keyword(_ word: String, line: Int) throws(ContainerfileProblem) -> Instruction.Keyword {
        if let keyword = Instruction.Keyword(rawValue: word.uppercased()) { return keyword }
        let names = Instruction.Keyword.allCases.map(\.rawValue)
        let meant = NearestNames(names: names).nearest(to: word.uppercased(), within: 2)
        let hint =
            unreadHereDocument.map { "; the here-document of line \($0) is not read, because builders before buildah 1.33 do not know it" }
            ?? meant.map { "; did you mean \($0)?" } ?? ""
        throw ContainerfileProblem(line: line, "there is no instruction \(word.quoted)\(hint)")
    }

    /// Takes the flags at the start of a text, and returns the rest.
    private func takeFlags(
        of keyword: Instruction.Keyword, from text: String, into flags: inout [Instruction.Flag], line: Int
    ) throws(ContainerfileProblem) -> String {
        let known = keyword.flags ?? []
        var rest = text
        while rest.utf8.starts(with: "--".utf8) {
            let (word, following) = rest.firstWord
            rest = following
            if word == "--" { break }
            // Programs disagree about quotes in flags. A flag that two programs read differently could hide
            // an option that is refused.
            guard !word.unicodeScalars.contains(where: { $0 == "'" || $0 == "\"" || $0 == escape }) else {
                throw ContainerfileProblem(line: line, "the flag \(word.quoted) must not have quotes or \(escape)")
            }
            let (name, value) = word.dropFirst(2).halves(at: "=").map { ($0.before, $0.after) } ?? (String(word.dropFirst(2)), nil)
            guard known.contains(name) else {
                let list = known.map { "--\($0)" }.joined(separator: ", ")
                throw ContainerfileProblem(line: line, "\(keyword.rawValue) has no flag \("--\(name)".quoted), only \(list)")
            }
            flags.append(Instruction.Flag(name: name, value: value))
        }
        return rest
    }

    /// Reads the here-documents that the words of an instruction announce.
    private mutating func hereDocuments(
        of keyword: Instruction.Keyword, _ arguments: String, line: Int
    ) throws(ContainerfileProblem) -> [Instruction.HereDocument] {
        var taker = keyword
        var text = arguments
        if keyword == .onbuild {
            let (word, rest) = arguments.firstWord
            guard let inner = Instruction.Keyword(rawValue: word.uppercased()) else { return [] }
            (taker, text) = (inner, rest)
        }
        guard taker.takesHereDocuments, JSONForm.elements(of: text) == nil else { return [] }
        var documents: [Instruction.HereDocument] = []
        for word in ShellWords.words(of: text, escape: escape) {
            guard let mark = HereDocumentMark(word, escape: escape) else { continue }
            guard dialect == .hereDocuments else {
                unreadHereDocument = line
                return []
            }
            var body: [String] = []
            while true {
                guard next < lines.count else {
                    throw ContainerfileProblem(line: line, "the here-document <<\(mark.delimiter.printable(most: 60)) has no end")
                }
                let written = lines[next]
                next += 1
                let text = mark.stripsTabs ? String(Substring(Substring(written).utf8.drop { $0 == UInt8(ascii: "\t") })) : written
                if text.hasSameBytes(as: mark.delimiter) { break }
                body.append(text)
            }
            documents.append(Instruction.HereDocument(delimiter: mark.delimiter, lines: body))
        }
        return documents
    }
}

/// A word that announces a here-document, for example `<<EOF`, `<<-"EOF"` or `3<<EOF`.
private struct HereDocumentMark {
    let delimiter: String
    let stripsTabs: Bool

    init?(_ word: String, escape: Unicode.Scalar) {
        var bytes = Substring(word).utf8.drop { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard bytes.starts(with: "<<".utf8) else { return nil }
        bytes = bytes.dropFirst(2)
        stripsTabs = bytes.first == UInt8(ascii: "-")
        if stripsTabs { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty, !bytes.contains(UInt8(ascii: "<")) else { return nil }
        let text = String(Substring(bytes))
        // The delimiter is the word without its quotes.
        guard let delimiter = try? Variables().expand(text, escape: escape, isLiteral: true).text, !delimiter.isEmpty else { return nil }
        self.delimiter = delimiter
    }
}
