public import ForeignText

/// A *Koji path* is a path below Koji's tree of files. It never leads out of the tree, because each of
/// its parts is a path component.
///
/// Example: `packages/ed/1.20/3.fc41`.
public struct KojiPath: Hashable, Sendable, CustomStringConvertible {
    /// The parts, separated by slashes.
    public let text: String

    /// Creates a path from names that the hub reports, each one below the previous one.
    ///
    /// - Throws: The problem of the first name that no file can have.
    public init(_ names: [some StringProtocol]) throws(PathComponent.Problem) {
        for name in names { _ = try PathComponent(name) }
        text = names.joined(separator: "/")
    }

    /// Creates the path of a file in a directory whose name the hub reports.
    ///
    /// - Throws: The problem of the directory's name.
    public init(_ directory: String, _ file: PathComponent) throws(PathComponent.Problem) {
        var text = try PathComponent(directory).text
        text.reserveCapacity(directory.utf8.count + 1 + file.text.utf8.count)
        text += "/"
        text += file.text
        self.text = text
    }

    /// Creates a path from a text that the hub reports.
    ///
    /// - Throws: The problem of the first part that no file can have. An absolute path is a problem as
    ///   well.
    public init(_ text: String) throws(PathComponent.Problem) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false))
    }

    public var description: String { text }
}
