import ForeignText

/// The reason why a request could not be sent: a variable or setting cannot be used, or a proxy does
/// not pass the request on. A mistake of the server itself is another error.
public struct OutboundProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The end of a sentence, for people. It never contains a password.
    public let description: String

    /// Whether the same request may succeed later without a change by a person.
    public let isPassing: Bool

    init(_ description: String, isPassing: Bool = false) {
        self.description = description.printable()
        self.isPassing = isPassing
    }
}
