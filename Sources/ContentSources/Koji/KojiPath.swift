public import ForeignText

/// A path below Koji's tree of files that leads nowhere else, because each of its parts is a path component.
///
/// An example is `packages/ed/1.20/3.fc41`.
public struct KojiPath: Hashable, Sendable, CustomStringConvertible {
    /// The parts with slashes between them.
    public let text: String

    /// Makes a path of names, one below the other, as the hub says them.
    ///
    /// - Throws: The problem of the first name that no file can have.
    public init(_ names: [some StringProtocol]) throws(PathComponent.Problem) {
        for name in names { _ = try PathComponent(name) }
        text = names.joined(separator: "/")
    }

    /// Reads a path that the hub says.
    ///
    /// - Throws: What is wrong with one of its parts. A path from the root is wrong as well.
    public init(_ text: String) throws(PathComponent.Problem) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false))
    }

    public var description: String { text }
}
