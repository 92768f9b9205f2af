import ForeignText

/// An *inventory problem* is a mistake in an inventory, in a template, or in the value of a parameter.
public struct InventoryProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as the user named its folder. For a parameter's value it is the environment variable.
    public let file: String
    /// The line, counted from 1. `nil` if no line can be named.
    public let line: Int?
    /// The key with the keys above it, for example `images.fedora.platforms`.
    public let key: String?
    public let message: String

    public init(file: String, line: Int? = nil, key: String? = nil, _ message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// The problem for a person. Example: `dpdk/inventory.yaml:7: images.fedora.tag: there is no such key`.
    public var description: String {
        [line.map { "\(file):\($0)" } ?? file, key, message].compactMap(\.self).joined(separator: ": ").printable(most: 1000)
    }
}
