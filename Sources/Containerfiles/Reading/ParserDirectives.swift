/// *Parser directives* are the comments `# name=value` in the first lines of a Containerfile. They end
/// with the first other line.
struct ParserDirectives {
    /// The character that continues a line: a backslash or a backtick.
    private(set) var escape: Unicode.Scalar = "\\"
    /// The line of `# syntax=`, which names an image that replaces the parser.
    private(set) var syntaxLine: Int?

    init(_ lines: [String]) throws(ContainerfileProblem) {
        var seen: Set<String> = []
        for (index, line) in lines.enumerated() {
            let text = line.trimmed
            guard text.utf8.first == UInt8(ascii: "#"), let (name, value) = text.dropFirst().halves(at: "=") else { return }
            let key = name.trimmed.lowercased()
            guard ["escape", "syntax", "check"].contains(key) else { return }
            guard seen.insert(key).inserted else { throw ContainerfileProblem(line: index + 1, "# \(key)= is there twice") }
            switch key {
            case "escape":
                guard ["\\", "`"].contains(value.trimmed) else {
                    throw ContainerfileProblem(line: index + 1, "# escape= must be \\ or `, not \(value.trimmed)")
                }
                escape = value.trimmed.unicodeScalars.first ?? "\\"
            case "syntax": syntaxLine = index + 1
            default: break
            }
        }
    }
}
