import ForeignText
import Postgres
import Synchronization

/// A cache of decoded JSON texts. A text that comes again, such as that of a compose that is made and
/// published, is not decoded again. Equal texts always mean the same, so entries never become outdated.
///
/// The cache has two generations. A text that comes again moves into the younger one. If that one is
/// full, it becomes the older one, whose texts are forgotten.
final class ReadTexts<Value: Decodable & Sendable>: Sendable {
    /// The size limits in bytes: of the texts of a generation, and of one text. A longer text is not
    /// cached. A value takes about ten times the bytes of its text.
    private static var room: Int { 256 << 10 }
    private static var longest: Int { 32 << 10 }

    private struct State {
        /// The values by the bytes of their texts. Hashing a string instead takes quadratic time if it has many
        /// combining marks.
        var younger: [ByteText: Value] = [:]
        var older: [ByteText: Value] = [:]
        /// The bytes of the texts of the younger generation.
        var bytes = 0

        mutating func keep(_ value: Value, for key: ByteText, bytes size: Int) {
            if bytes + size > ReadTexts.room { (older, younger, bytes) = (younger, [:], 0) }
            if younger.updateValue(value, forKey: key) == nil { bytes += size }
        }
    }

    private let state = Mutex(State())

    /// Returns the value that the text encodes.
    ///
    /// - Throws: `DecodingError` if the text encodes no such value.
    func value(of text: String) throws -> Value {
        let bytes = text.utf8.count
        guard bytes <= Self.longest else { return try PostgresJSON<Value>(text: text).value }
        let key = ByteText(text)
        let known = state.withLock { state -> Value? in
            if let value = state.younger[key] { return value }
            guard let value = state.older[key] else { return nil }
            state.keep(value, for: key, bytes: bytes)
            return value
        }
        if let known { return known }
        let value = try PostgresJSON<Value>(text: text).value
        state.withLock { $0.keep(value, for: key, bytes: bytes) }
        return value
    }
}
