/// Runs `work` for each of `items`, at most `atOnce` at the same time, and returns the results in the
/// order of the items.
///
/// Throws the first error, and cancels the work that still runs.
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
