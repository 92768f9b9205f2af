import ForeignText

/// A configuration error is a mistake in the configuration file: its place, and the right value.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// The name of the file, as the user gave it.
    public let file: String
    /// The line, counted from 1. `nil` if no line can be named.
    public let line: Int?
    /// The key with its sections, or `nil` if the error concerns the file as a whole. Example:
    /// `worker.slots`.
    public let key: String?
    public let message: String

    public init(file: String, line: Int?, key: String?, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    public var description: String {
        [line.map { "\(file):\($0)" } ?? file, key, message].compactMap(\.self).joined(separator: ": ").printable()
    }
}
