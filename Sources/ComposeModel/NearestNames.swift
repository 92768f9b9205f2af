/// Finds what somebody may have meant among the few names that would have been right.
public struct NearestNames {
    public let names: [String]

    /// So many names are compared with what was written; those behind them keep their places.
    private static let mostCompared = 2000

    public init(names: [String]) {
        self.names = names
    }

    /// All names, those first that need the fewest changes to become what was written; equal ones keep their order.
    public func sorted(by written: String) -> [String] {
        names.prefix(Self.mostCompared).enumerated()
            .map { (name: $0.element, order: $0.offset, distance: Self.distance(written, $0.element)) }
            .sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }
            .map(\.name) + names.dropFirst(Self.mostCompared)
    }

    /// The nearest name, if no more than `limit` characters of it are different.
    public func nearest(to written: String, within limit: Int) -> String? {
        sorted(by: written).first.flatMap { Self.distance(written, $0) <= limit ? $0 : nil }
    }

    /// The Levenshtein distance: how many characters must be put in, taken out or replaced.
    private static func distance(_ first: String, _ second: String) -> Int {
        // Code points: a character of a stranger may have any number of them.
        let columns = Array(second.unicodeScalars.prefix(100))
        var above = Array(0...columns.count)
        for (row, character) in first.unicodeScalars.prefix(100).enumerated() {
            var current = [row + 1]
            for (column, other) in columns.enumerated() {
                current.append(min(above[column] + (character == other ? 0 : 1), above[column + 1] + 1, current[column] + 1))
            }
            above = current
        }
        return above[columns.count]
    }
}
