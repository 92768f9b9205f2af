/// The statements that one session has prepared, by their text and parameter types. The least recently
/// used one is removed first.
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

    /// Returns the name of the prepared statement, or nil when it is not prepared.
    mutating func name(of key: Key) -> String? {
        clock += 1
        entries[key]?.lastUse = clock
        return entries[key]?.name
    }

    /// Adds a statement under a name that was not used before.
    mutating func insert(_ key: Key, name: String) {
        clock += 1
        entries[key] = Entry(name: name, lastUse: clock)
    }

    /// Removes a statement that the server no longer knows, or whose plan no longer fits. Returns its name.
    mutating func remove(_ key: Key) -> String? { entries.removeValue(forKey: key)?.name }

    /// Removes the least recently used statement, if there is no room for another one. Returns its name, or
    /// nil when there is room.
    mutating func makeRoom() -> String? {
        guard entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        return remove(oldest.key)
    }
}
