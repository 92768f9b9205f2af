/// Finds the names that someone who wrote another may have meant.
struct NearestNames {
    /// At most so many are worth reading.
    static let limit = 3

    let candidates: [String]

    /// The nearest first; none that are far.
    func nearest(to text: String) -> [String] {
        let wanted = Array(text.lowercased().utf8).filter { !"*?[]".utf8.contains($0) }
        guard wanted.count > 1, wanted.count <= 256 else { return [] }
        let farthest = max(1, wanted.count / 3)
        var found: [(distance: Int, name: String)] = []
        for name in candidates {
            let letters = Array(name.lowercased().utf8)
            if let distance = Self.distance(wanted, letters, atMost: farthest) {
                found.append((distance, name))
            } else if min(letters.count, wanted.count) > 2, Self.contains(letters, wanted) || Self.contains(wanted, letters) {
                // One contains the other: behind the misspelt ones, those that add little first.
                found.append((farthest + abs(letters.count - wanted.count), name))
            }
        }
        return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(Self.limit).map(\.name)
    }

    /// How many letters must be put in, left out or changed to make one of the other; `nil` for more than `limit`.
    private static func distance(_ a: [UInt8], _ b: [UInt8], atMost limit: Int) -> Int? {
        if abs(a.count - b.count) > limit { return nil }
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            var best = row[0]
            for j in b.indices {
                let changed = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(changed, row[j] + 1, diagonal + 1)
                best = min(best, row[j + 1])
            }
            if best > limit { return nil }
        }
        return row[b.count] <= limit ? row[b.count] : nil
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }
}
