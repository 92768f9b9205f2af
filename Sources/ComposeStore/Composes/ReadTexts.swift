import ForeignText
import Postgres
import Synchronization

/// A cache of decoded JSON texts. A text that comes again, such as that of a compose that clients poll,
/// is not decoded again. Equal texts always mean the same, so entries never become outdated.
final class ReadTexts<Value: Decodable & Sendable>: Sendable {
    /// The size limits in bytes: of all texts together, and of one text. A longer text is not cached. If
    /// there is no room for another text, the whole cache is emptied.
    private static var room: Int { 4 << 20 }
    private static var longest: Int { 64 << 10 }

    private struct State {
        /// The values by the bytes of their texts. Hashing a string instead takes quadratic time if it has many
        /// combining marks.
        var values: [ByteText: Value] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())

    /// Returns the value that the text encodes.
    ///
    /// - Throws: `DecodingError` if the text encodes no such value.
    func value(of text: String) throws -> Value {
        let bytes = text.utf8.count
        guard bytes <= Self.longest else { return try PostgresJSON<Value>(text: text).value }
        let key = ByteText(text)
        if let value = state.withLock({ $0.values[key] }) { return value }
        let value = try PostgresJSON<Value>(text: text).value
        state.withLock { state in
            if state.bytes + bytes > Self.room {
                state.values.removeAll()
                state.bytes = 0
            }
            if state.values.updateValue(value, forKey: key) == nil { state.bytes += bytes }
        }
        return value
    }
}
