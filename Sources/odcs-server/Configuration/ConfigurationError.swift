import ForeignText

/// A configuration error is a mistake in the configuration file: its place, and the right value.
struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// The name of the file, as the user gave it.
    let file: String
    /// The line, counted from 1. `nil` if no line can be named.
    let line: Int?
    /// The key with its sections, or `nil` if the error concerns the file as a whole. Example:
    /// `worker.slots`.
    let key: String?
    let message: String

    var description: String {
        [line.map { "\(file):\($0)" } ?? file, key, message].compactMap(\.self).joined(separator: ": ").printable()
    }
}
