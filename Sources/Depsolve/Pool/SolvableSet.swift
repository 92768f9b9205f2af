import CSolv

/// A set of the packages of one pool, stored by their ids.
struct SolvableSet {
    private var words: [UInt64]

    /// Makes an empty set for ids below `capacity`.
    init(capacity: Int) {
        words = Array(repeating: 0, count: (capacity + 63) / 64)
    }

    /// Makes room for ids below `capacity`.
    mutating func extend(to capacity: Int) {
        words += repeatElement(0, count: max(0, (capacity + 63) / 64 - words.count))
    }

    func contains(_ id: Id) -> Bool {
        let index = Int(id) >> 6
        return index < words.count && words[index] & (1 << (UInt64(id) & 63)) != 0
    }

    /// Inserts `id`. Returns whether `id` was not in the set before.
    @discardableResult
    mutating func insert(_ id: Id) -> Bool {
        let bit = UInt64(1) << (UInt64(id) & 63)
        let isNew = words[Int(id) >> 6] & bit == 0
        words[Int(id) >> 6] |= bit
        return isNew
    }

    mutating func formUnion(_ other: SolvableSet) {
        for index in words.indices where index < other.words.count { words[index] |= other.words[index] }
    }

    mutating func subtract(_ other: SolvableSet) {
        for index in words.indices where index < other.words.count { words[index] &= ~other.words[index] }
    }

    /// Sets the bits of a libsolv `Map`, which has one bit for each id.
    func fill(_ map: UnsafeMutablePointer<Map>) {
        let size = Int(map.pointee.size)
        for (index, word) in words.enumerated() where word != 0 {
            for byte in 0..<8 where index * 8 + byte < size {
                map.pointee.map[index * 8 + byte] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte)))
            }
        }
    }

    /// The ids in ascending order.
    var members: [Id] {
        var ids: [Id] = []
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                ids.append(Id(index << 6 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return ids
    }
}
