/// The value of the header `Retry-After`: the pause that a server asks for before the next request
/// (RFC 9110, section 10.2.3). Example: `120`.
public enum RetryAfter {
    /// Returns the pause that `value` asks for, or `nil` if it is not a number of seconds.
    ///
    /// The header's other form, a date, is not supported. Servers that limit requests send seconds.
    public static func pause(_ value: String) -> Duration? {
        // More digits than these are longer than any pause.
        guard value.utf8.count <= 9, value.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
        return Int(value).map { .seconds($0) }
    }
}
