import ForeignText

/// An account name is the name of a person or a program, as the `owner` of a compose. Examples: `joe`,
/// `osbs/build1.example.org`, `UID=osbs,OU=users,DC=example,DC=org`.
///
/// Two names are equal if their bytes are equal. `Joe` and `joe` are two accounts. A name whose
/// characters could be written in two ways or not be seen is refused, so no two names look the same for
/// that reason.
public struct AccountName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name of everybody while the service asks for no credentials. It is the name in the published
    /// ODCS.
    public static let unknown = AccountName(known: "unknown")

    /// The maximum length in bytes of UTF-8.
    public static let mostBytes = 256

    private let bytes: ByteText

    public var text: String { bytes.text }
    public var description: String { text }

    /// Creates the name that an identity provider reports.
    ///
    /// - Throws: The problem of a text that is not the name of an account.
    public init(_ text: some StringProtocol) throws(Problem) {
        let text = String(text)
        if text.isEmpty { throw .empty }
        if text.utf8.count > Self.mostBytes { throw .long }
        if text.first == " " || text.last == " " || text.unicodeScalars.contains(where: \.isUnsafeInName) { throw .character }
        if text.hasSameBytes(as: Self.unknown.text) { throw .reserved }
        self.init(known: text)
    }

    private init(known text: String) { bytes = ByteText(text) }

    public static func < (a: AccountName, b: AccountName) -> Bool { a.bytes < b.bytes }

    public enum Problem: Error, Hashable, Sendable {
        case empty, long, character, reserved

        /// The problem as the end of a sentence, for example "is empty".
        public var reason: String {
            switch self {
            case .empty: "is empty"
            case .long: "is longer than \(AccountName.mostBytes) bytes"
            case .character: "has a space at an end, an invisible character, or a combining mark"
            case .reserved: "is reserved for requests without credentials"
            }
        }
    }
}

extension Unicode.Scalar {
    /// Whether the character is invisible, or a mark that belongs to the character before it.
    fileprivate var isUnsafeInName: Bool {
        if value < 0x7F { return value < 0x20 }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .nonspacingMark, .spacingMark, .enclosingMark,
            .unassigned, .privateUse, .surrogate:
            true
        default: properties.isDefaultIgnorableCodePoint
        }
    }
}
