/// Why the server could not be started or stopped, and what would help. It is for the operator, and names files.
public struct EmbeddedPostgresError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
