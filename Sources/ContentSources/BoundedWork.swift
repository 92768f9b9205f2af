/// Does `work` for each of `items`, so many at once, and gives what comes of it in their order. The first failure ends it.
func inParallel<Item: Sendable, Value: Sendable>(
    _ items: [Item], atOnce: Int, _ work: @escaping @Sendable (Item) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        var values = [Value?](repeating: nil, count: items.count)
        var rest = items.enumerated().makeIterator()
        for _ in 0..<max(1, atOnce) {
            guard let (place, item) = rest.next() else { break }
            group.addTask { (place, try await work(item)) }
        }
        while let (place, value) = try await group.next() {
            values[place] = value
            if let (place, item) = rest.next() { group.addTask { (place, try await work(item)) } }
        }
        return values.compactMap(\.self)
    }
}
