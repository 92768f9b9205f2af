/// A secret is a text that no log, error or page may show, such as a token or a password.
///
/// It prints as `(hidden)`. Only code that checks the secret reads ``text``.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let text: String

    public init(_ text: some StringProtocol) { self.text = String(text) }

    public var description: String { "(hidden)" }
    public var debugDescription: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
