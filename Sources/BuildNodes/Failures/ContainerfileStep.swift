/// A step of a Containerfile, as a builder announces it in the log. Examples: `[1/2] STEP 2/7: RUN
/// make` of buildah, and `Step 2/7 : RUN make` of docker.
public struct ContainerfileStep: Hashable, Sendable, CustomStringConvertible {
    /// For example `2/7`.
    public let number: String
    /// The stage, for example `1/2`. Nil if the Containerfile has one stage.
    public let stage: String?
    /// The instruction in one line, with the mounts that were added to it.
    public let instruction: String

    /// Returns nil if the line of the log announces no step.
    init?(line: String) {
        var rest = Substring(line)
        var stage: String?
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            stage = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...].drop { $0 == " " }
        }
        guard rest.hasPrefix("STEP ") || rest.hasPrefix("Step "), let colon = rest.firstRange(of: ": ") else { return nil }
        var number = rest[..<colon.lowerBound].dropFirst("STEP ".count)
        if number.hasSuffix(" ") { number.removeLast() }
        guard number.allSatisfy({ $0.isNumber || $0 == "/" }), number.contains("/") else { return nil }
        self.number = String(number)
        self.stage = stage
        instruction = String(rest[colon.upperBound...])
    }

    /// The instruction without options such as `--mount`, at most 200 characters.
    public var shortInstruction: String {
        var words = instruction.split(separator: " ")
        if words.count > 1 {
            let keyword = words.removeFirst()
            words = [keyword] + words.drop { $0.hasPrefix("--") }
        }
        let text = words.joined(separator: " ")
        return text.count <= 200 ? text : text.prefix(199) + "…"
    }

    /// For example `step 2/7 of stage 1/2, RUN make`.
    public var description: String { "step \(number)\(stage.map { " of stage \($0)" } ?? ""), \(shortInstruction)" }
}
