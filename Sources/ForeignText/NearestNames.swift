/// A search for the name that a user may have meant, among the few valid names. Example: `conections`
/// may mean `connections`.
public struct NearestNames {
    public let names: [String]

    /// The number of names that are compared. Names after these keep their places.
    private static let mostCompared = 2000
    /// The number of code points of a text that count.
    private static let mostCharacters = 100

    public init(names: [String]) {
        self.names = names
    }

    /// Returns all names, sorted by the number of changes that turn them into `written`. Names with an
    /// equal number keep their order.
    public func sorted(by written: String) -> [String] {
        names.prefix(Self.mostCompared).enumerated()
            .map { (name: $0.element, order: $0.offset, distance: Self.distance(written, $0.element)) }
            .sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }
            .map(\.name) + names.dropFirst(Self.mostCompared)
    }

    /// Returns the nearest name, or `nil` if it needs more than `limit` changes.
    public func nearest(to written: String, within limit: Int) -> String? {
        // It needs at least as many changes as the lengths differ. So most names are not compared, and a long
        // text takes no time.
        let length = Self.length(of: written)
        let close = NearestNames(names: names.filter { abs(Self.length(of: $0) - length) <= limit })
        return close.sorted(by: written).first.flatMap { Self.distance(written, $0) <= limit ? $0 : nil }
    }

    private static func length(of text: String) -> Int { text.unicodeScalars.prefix(mostCharacters).count }

    /// Returns the Levenshtein distance: the number of characters that must be inserted, removed or
    /// replaced. Only the first ``mostCharacters`` code points of each text count.
    private static func distance(_ first: String, _ second: String) -> Int {
        // Code points, because a character of a foreign text may have any number of them.
        let columns = Array(second.unicodeScalars.prefix(mostCharacters))
        var above = Array(0...columns.count)
        for (row, character) in first.unicodeScalars.prefix(mostCharacters).enumerated() {
            var current = [row + 1]
            for (column, other) in columns.enumerated() {
                current.append(min(above[column] + (character == other ? 0 : 1), above[column + 1] + 1, current[column] + 1))
            }
            above = current
        }
        return above[columns.count]
    }
}
