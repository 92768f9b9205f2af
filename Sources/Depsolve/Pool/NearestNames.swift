/// A search for names that are similar to a misspelled one.
struct NearestNames {
    /// The maximum number of names that are reported.
    static let limit = 3

    let candidates: [String]

    /// Returns similar names, the nearest first. Names that differ too much are left out.
    ///
    /// Example: `httpd` for `htppd`, and `httpd-tools` for `tools`.
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
                // One name contains the other. These come after the misspelled names, and the smallest difference in
                // length comes first.
                found.append((farthest + abs(letters.count - wanted.count), name))
            }
        }
        return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(Self.limit).map(\.name)
    }

    /// Returns the number of bytes that must be inserted, removed or changed to turn one name into the
    /// other. Returns `nil` if it is above `limit`.
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
