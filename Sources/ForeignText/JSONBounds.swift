/// The bounds of a JSON text from a stranger, which are checked before the text is decoded.
///
/// Foundation keeps the members of an object in a dictionary of strings. Hashing a string of combining
/// marks takes quadratic time. So a key of a megabyte, which real data does not have, would take hours.
public struct JSONBounds: Hashable, Sendable {
    /// A bound that a text exceeds.
    public enum Excess: Hashable, Sendable {
        case keyBytes, depth
    }

    /// The maximum length of a key in bytes. Escapes count as they are written.
    public var keyBytes: Int
    /// The maximum nesting of arrays and objects.
    public var depth: Int

    public init(keyBytes: Int, depth: Int = .max) {
        self.keyBytes = keyBytes
        self.depth = depth
    }

    /// Returns the first bound that the text exceeds, or nil if it keeps them all. For bytes that are not
    /// JSON, the result has no meaning.
    public func excess(of bytes: some Collection<UInt8>) -> Excess? {
        if let excess = bytes.withContiguousStorageIfAvailable(excess(in:)) { return excess }
        return Array(bytes).withUnsafeBufferPointer(excess(in:))
    }

    private func excess(in bytes: UnsafeBufferPointer<UInt8>) -> Excess? {
        var begin: Int?
        var isLong = false
        var (depth, position) = (0, 0)
        while position < bytes.count {
            switch (bytes[position], begin) {
            case (UInt8(ascii: "\\"), .some): position += 1
            case (UInt8(ascii: "\""), let start?):
                isLong = position - start - 1 > keyBytes
                begin = nil
            case (UInt8(ascii: "\""), nil): begin = position
            case (UInt8(ascii: ":"), nil) where isLong: return .keyBytes
            case (UInt8(ascii: "{"), nil), (UInt8(ascii: "["), nil):
                depth += 1
                if depth > self.depth { return .depth }
            case (UInt8(ascii: "}"), nil), (UInt8(ascii: "]"), nil): depth -= 1
            default: break
            }
            position += 1
        }
        return nil
    }
}
