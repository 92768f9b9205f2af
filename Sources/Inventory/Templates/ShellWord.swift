import Mustache

/// A *shell word* is a text that the shell reads as one word with exactly these characters.
struct ShellWord {
    /// The text, in single quotes if it needs them.
    let text: String

    init(_ value: String) {
        let isPlain = !value.isEmpty && value.unicodeScalars.allSatisfy { Self.plain.contains($0) }
        text = isPlain ? value : "'" + value.replacing("'", with: "'\\''") + "'"
    }

    private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-".unicodeScalars)
}

/// The content type of our templates: `{{x}}` is a shell word. `{{{x}}}` is the text as it is.
struct ShellWordContent: MustacheContentType {
    static let name = "SHELL-WORD"

    func escapeText(_ text: String) -> String { ShellWord(text).text }

    /// Registers the content type once.
    static let isRegistered: Bool = {
        MustacheContentTypes.register(ShellWordContent(), named: name)
        return true
    }()
}
