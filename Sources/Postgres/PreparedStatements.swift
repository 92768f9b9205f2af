/// The statements that one session has prepared, by their text; the least recently used one goes first.
struct PreparedStatements {
    struct Key: Hashable {
        let text: String
        let types: [PostgresType]
    }

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    /// The name under which the statement is prepared, if it is.
    mutating func name(of key: Key) -> String? {
        clock += 1
        entries[key]?.lastUse = clock
        return entries[key]?.name
    }

    /// Remembers a statement under a name not used before.
    mutating func insert(_ key: Key, name: String) {
        clock += 1
        entries[key] = Entry(name: name, lastUse: clock)
    }

    /// Forgets a statement that the server does not know any more, or knows differently.
    mutating func remove(_ key: Key) -> String? { entries.removeValue(forKey: key)?.name }

    /// Forgets the one that was not used for longest when there is no room for another, and names it.
    mutating func makeRoom() -> String? {
        guard entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        return remove(oldest.key)
    }
}
