/// The form in which a verification is stored and shown: names of members in snake case, and lists that
/// may be absent if they are empty.
extension Verification: Codable {
    private enum Key: String, CodingKey {
        case problem, packages, vanished, changed, added, sentences
        case stillOlder = "still_older"
        case hasWanted = "has_wanted"
        case hasLostDatabase = "has_lost_database"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        problem = try container.decodeIfPresent(String.self, forKey: .problem)
        packages = try container.decodeIfPresent(Int.self, forKey: .packages)
        hasWanted = try container.decodeIfPresent(Bool.self, forKey: .hasWanted) ?? false
        hasLostDatabase = try container.decodeIfPresent(Bool.self, forKey: .hasLostDatabase) ?? false
        stillOlder = try container.decodeIfPresent([StillOlder].self, forKey: .stillOlder) ?? []
        vanished = try container.decodeIfPresent([InstalledPackage].self, forKey: .vanished) ?? []
        changed = try container.decodeIfPresent([Change].self, forKey: .changed) ?? []
        added = try container.decodeIfPresent([InstalledPackage].self, forKey: .added) ?? []
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(problem, forKey: .problem)
        try container.encodeIfPresent(packages, forKey: .packages)
        try container.encode(hasWanted, forKey: .hasWanted)
        try container.encode(hasLostDatabase, forKey: .hasLostDatabase)
        try container.encode(stillOlder, forKey: .stillOlder)
        try container.encode(vanished, forKey: .vanished)
        try container.encode(changed, forKey: .changed)
        try container.encode(added, forKey: .added)
        try container.encode(sentences, forKey: .sentences)
    }
}
