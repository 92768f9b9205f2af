import ForeignText

/// A mistake in the configuration file: where it is, and what would be right.
struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// The file as the person named it.
    let file: String
    /// From 1 on; `nil` when no line can be named.
    let line: Int?
    /// `worker.slots`; `nil` when the file as a whole is meant.
    let key: String?
    let message: String

    var description: String {
        [line.map { "\(file):\($0)" } ?? file, key, message].compactMap(\.self).joined(separator: ": ").printable()
    }
}
