import ForeignText

/// A claim value is a value of the JSON text of a token, of a key or of a provider's answer.
///
/// Unlike Foundation's decoders, the reader refuses an object that has a member twice. Two readers of
/// such a text may take different values, so one of them may check another token than the other one
/// uses.
enum ClaimValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number as it is written. Example: `1.5e3`.
    case number(String)
    case text(String)
    case list([ClaimValue])
    case object([ByteText: ClaimValue])

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var list: [ClaimValue]? { if case .list(let list) = self { list } else { nil } }
    var isNull: Bool { self == .null }

    /// The texts of a list of texts, or of a single text. `nil` if the value is neither.
    var texts: [String]? {
        switch self {
        case .text(let text): return [text]
        case .list(let values):
            let texts = values.compactMap(\.text)
            return texts.count == values.count ? texts : nil
        case .null, .bool, .number, .object: return nil
        }
    }

    /// A time in seconds since 1970. `nil` if the value is no number, or if no `Double` can hold it.
    var seconds: Double? {
        guard case .number(let digits) = self, let seconds = Double(digits), seconds.isFinite else { return nil }
        return seconds
    }

    /// The text that a rule on claims is compared with. `nil` for values that consist of several.
    var scalar: String? {
        switch self {
        case .text(let text), .number(let text): text
        case .bool(let bool): bool ? "true" : "false"
        case .null, .list, .object: nil
        }
    }
}

/// Claims are the members of a JSON object. A member that is `null` counts as absent.
struct Claims: Hashable, Sendable {
    private let members: [ByteText: ClaimValue]

    /// Returns `nil` if the bytes are not exactly one JSON object in UTF-8.
    init?(_ bytes: some Collection<UInt8>) {
        guard case .object(let members)? = ClaimReader.value(of: Array(bytes)) else { return nil }
        self.members = members
    }

    init?(_ value: ClaimValue) {
        guard case .object(let members) = value else { return nil }
        self.members = members
    }

    subscript(name: String) -> ClaimValue? {
        guard let value = members[ByteText(name)], !value.isNull else { return nil }
        return value
    }
}
