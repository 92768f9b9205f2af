/// *Make text* is a text in a form that make reads as exactly this text.
enum MakeText {
    /// Returns a value for `NAME := …`. The variables `empty` and `hash` must be defined.
    static func assigned(_ value: String) -> String {
        // The ends keep blanks, and a backslash at the end, from having a meaning.
        "$(empty)" + value.replacing("$", with: "$$").replacing("#", with: "$(hash)") + "$(empty)"
    }

    /// Returns one word of the shell for a line of a recipe.
    static func word(_ value: String) -> String { recipe(ShellWord(value).text) }

    /// Returns a text of the shell for a line of a recipe.
    static func recipe(_ text: String) -> String { text.replacing("$", with: "$$") }
}
