import ForeignText

/// A claim pattern is the condition of a rule on the value of one claim.
public struct ClaimPattern: Hashable, Sendable {
    /// The texts of which one must fit. A text that ends with `*` fits each value that begins with the
    /// rest. Examples: `refs/heads/main`, `refs/tags/*`.
    public var texts: [String]

    public init(_ texts: [String]) { self.texts = texts }

    /// Whether the pattern names numbers only, so that no other value fits.
    var isNumeric: Bool {
        !texts.isEmpty && texts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) }
    }

    func fits(_ value: ClaimValue?) -> Bool {
        guard let value = value?.scalar else { return false }
        return texts.contains { text in
            text.hasSuffix("*") ? value.utf8.starts(with: text.utf8.dropLast()) : value.hasSameBytes(as: text)
        }
    }
}
