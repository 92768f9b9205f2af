/// Runs `work` for each of `items`, at most `atOnce` at the same time, and passes each result to
/// `take`, in the order in which they come.
///
/// When `take` returns `false`, no other work begins, and the work that still runs is canceled. Its
/// results are passed to `take` too.
func inParallel<Item: Sendable, Value: Sendable>(
    _ items: [Item], atOnce: Int, _ work: @escaping @Sendable (Item) async -> Value, take: (Value) async -> Bool
) async {
    await withTaskGroup(of: Value.self) { group in
        var rest = items.makeIterator()
        for _ in 0..<max(1, atOnce) {
            guard let item = rest.next() else { break }
            group.addTask { await work(item) }
        }
        while let value = await group.next() {
            guard await take(value) else {
                group.cancelAll()
                continue
            }
            if let item = rest.next() { group.addTask { await work(item) } }
        }
    }
}

/// Runs `work` for each of `items`, at most `atOnce` at the same time, and returns the results in the
/// order of the items.
///
/// Throws the first error, and cancels the work that still runs.
func inParallel<Item: Sendable, Value: Sendable>(
    _ items: [Item], atOnce: Int, _ work: @escaping @Sendable (Item) async throws -> Value
) async throws -> [Value] {
    var values = [Value?](repeating: nil, count: items.count)
    var first: (any Error)?
    await inParallel(Array(items.indices), atOnce: atOnce) { place -> (Int, Result<Value, any Error>) in
        do { return (place, .success(try await work(items[place]))) } catch { return (place, .failure(error)) }
    } take: { place, result in
        switch result {
        case .success(let value): values[place] = value
        case .failure(let error): first = first ?? error
        }
        return first == nil
    }
    if let first { throw first }
    return values.compactMap(\.self)
}
