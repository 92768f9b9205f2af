import ForeignText

/// A *stage* is a part of a Containerfile that begins with FROM. The last stage is the image.
public struct Stage: Hashable, Sendable {
    /// The FROM.
    public let from: Instruction
    /// The image or the earlier stage, as it is written: variables are not replaced.
    public let base: String
    /// The name after AS, in lower case.
    public let name: String?
    /// The instructions after FROM.
    public internal(set) var instructions: [Instruction] = []

    /// The value of `--platform`, as it is written.
    public var platform: String? { from.values(of: "platform").last }

    init(_ from: Instruction) throws(ContainerfileProblem) {
        let words = from.arguments.words
        guard words.count == 1 || words.count == 3 && words[1].lowercased() == "as" else {
            throw ContainerfileProblem(line: from.line, "FROM needs an image, or an image, AS and a name: FROM fedora:42 AS build")
        }
        self.from = from
        base = words[0]
        name = words.count == 3 ? words[2].lowercased() : nil
        if let name, !Self.isName(name) {
            throw ContainerfileProblem(
                line: from.line, "\(words[2].quoted) cannot be the name of a stage. It needs a letter, then letters, digits, _ - or .")
        }
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } == true
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
    }
}
