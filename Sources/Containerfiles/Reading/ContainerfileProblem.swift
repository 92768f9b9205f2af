import ForeignText

/// A *Containerfile problem* is a mistake in a Containerfile, or an instruction that is refused. It has
/// the line, counted from 1, and one sentence.
public struct ContainerfileProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let message: String

    public init(line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    /// The problem for a person. Example: `line 3: RUN --network=host is not allowed`.
    public var description: String { "line \(line): \(message)".printable(most: 600) }
}
