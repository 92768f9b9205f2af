/// The way in which the users of a compose get its packages.
public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
    /// The compose contains the package files.
    case link
    /// The compose contains only metadata, which refers to the package files at their source.
    case reference
}

// Requests and specifications that were stored before this choice existed have no such member, which
// means `link`. The value `link` is therefore not encoded now either, so that equal composes stay
// equal. Synthesized conformances use the overloads below.

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
