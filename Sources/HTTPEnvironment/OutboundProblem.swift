import ForeignText

/// Why a request could not leave: a variable or setting that cannot be used, or a proxy that does not pass it on. What the server itself does
/// wrong is another error.
public struct OutboundProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The end of a sentence, for people. It has no password.
    public let description: String

    /// Whether the same may work later, with nothing changed by a person.
    public let isPassing: Bool

    init(_ description: String, isPassing: Bool = false) {
        self.description = description.printable()
        self.isPassing = isPassing
    }
}
