/// An error in starting or stopping the server. The text names the cause and a remedy. It is for the
/// operator, and names files.
public struct EmbeddedPostgresError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
