import ForeignText

/// Allowed words are a list of a client rule. A word is allowed if the list has it, or if the list has
/// its beginning with a star, such as `f*`. The list `[""]` allows every word, as in the published
/// ODCS.
public struct AllowedWords: Hashable, Sendable {
    public static let any = Self([""])
    public static let none = Self([])

    public let words: [String]

    public init(_ words: [String]) {
        self.words = words
    }

    public var allowsEverything: Bool { words == [""] }

    public func allow(_ word: String) -> Bool {
        allowsEverything
            || words.contains { $0.hasSuffix("*") ? word.utf8.starts(with: $0.utf8.dropLast()) : $0.hasSameBytes(as: word) }
    }
}
