/// How whoever uses a compose gets its packages.
public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
    /// From the compose, which has their files.
    case link
    /// From where they lie: the compose has metadata alone, which says where that is.
    case reference
}

// What was written down before there was a choice says nothing of it and means `link`; so that equal composes stay equal, it is not written
// now either. Synthesized conformances use these.

extension KeyedDecodingContainer {
    func decode(_ type: Delivery.Type, forKey key: Key) throws -> Delivery {
        try decodeIfPresent(type, forKey: key) ?? .link
    }
}

extension KeyedEncodingContainer {
    mutating func encode(_ delivery: Delivery, forKey key: Key) throws {
        try encodeIfPresent(delivery == .link ? nil : delivery, forKey: key)
    }
}
