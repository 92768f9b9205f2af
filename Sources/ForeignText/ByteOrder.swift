import Glibc

extension StringProtocol {
    /// Returns whether both texts have the same UTF-8 bytes.
    ///
    /// `==` of strings first brings combining marks into their canonical order. That takes quadratic time
    /// on texts made for it.
    public func hasSameBytes(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Returns whether the text comes before `other` in the order of UTF-8 bytes, which is the order of
    /// code points.
    public func precedesInBytes(_ other: some StringProtocol) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

/// A *byte text* is a text that is compared, ordered and hashed by its UTF-8 bytes, in linear time. It
/// is the key of dictionaries of foreign texts.
public struct ByteText: Hashable, Comparable, Sendable {
    public let text: String

    public init(_ text: some StringProtocol) { self.text = String(text) }

    public init(_ text: String) { self.text = text }

    public static func == (a: ByteText, b: ByteText) -> Bool { a.text.hasSameBytes(as: b.text) }

    public static func < (a: ByteText, b: ByteText) -> Bool { a.text.precedesInBytes(b.text) }

    public func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }
}

extension String {
    /// The same as ``hasSameBytes(as:)-(StringProtocol)`` for `String`, by a comparison of the bytes in
    /// memory.
    public func hasSameBytes(as other: String) -> Bool { order(to: other) == 0 }

    /// The same as ``precedesInBytes(_:)-(StringProtocol)`` for `String`, by a comparison of the bytes in
    /// memory.
    public func precedesInBytes(_ other: String) -> Bool { order(to: other) < 0 }

    /// Hashes the UTF-8 bytes, followed by 0xFF to mark their end.
    public func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }

    private func order(to other: String) -> Int {
        var (a, b) = (self, other)
        return a.withUTF8 { a in
            b.withUTF8 { b in
                let common = min(a.count, b.count)
                if common > 0, let x = a.baseAddress, let y = b.baseAddress {
                    let order = memcmp(x, y, common)
                    if order != 0 { return Int(order) }
                }
                return a.count - b.count
            }
        }
    }
}

extension String {
    /// Whether at most 30 combining marks follow each other, as in every language (Unicode's Stream-Safe
    /// Text Format, UAX #15).
    ///
    /// A stream-safe text can be compared, hashed and sorted in a time that grows with its length. Every
    /// foreign text that is to be compared by characters must pass this check first.
    public var isStreamSafe: Bool {
        // No character before U+0300, whose first byte is 0xCC, is a combining mark.
        var text = self
        guard text.withUTF8({ $0.contains { $0 >= 0xCC } }) else { return true }
        var marks = 0
        for scalar in unicodeScalars {
            if scalar.value < 0x300 || scalar.properties.canonicalCombiningClass == .notReordered {
                marks = 0
            } else {
                marks += 1
                if marks > 30 { return false }
            }
        }
        return true
    }
}
