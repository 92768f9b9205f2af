import Postgres
import Synchronization

/// What texts in JSON were found to mean, so that one that comes again, as that of a compose that is asked for again and again, is not decoded
/// again. Equal texts mean the same for ever: nothing in here grows old.
final class ReadTexts<Value: Decodable & Sendable>: Sendable {
    /// In bytes, of texts; a longer one is not kept, and when there is no room for another all go.
    private static var room: Int { 4 << 20 }
    private static var longest: Int { 64 << 10 }

    private struct State {
        /// By the text's bytes: to hash a string takes quadratic time if it has many combining marks.
        var values: [[UInt8]: Value] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())

    /// - Throws: `DecodingError`, for what is no such value.
    func value(of text: String) throws -> Value {
        let bytes = text.utf8.count
        guard bytes <= Self.longest else { return try PostgresJSON<Value>(text: text).value }
        let key = Array(text.utf8)
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
