/// A moment formats a time of the API's contract for people.
enum Moment {
    /// Returns a time with its zone. Example: `2026-11-21 10:04:05 UTC` for `2026-11-21T10:04:05Z`.
    static func text(_ time: String) -> String {
        brief(time) + (time.hasSuffix("Z") ? " UTC" : "")
    }

    /// Returns a time without its zone, for a column whose head names it.
    static func brief(_ time: String) -> String {
        let bare = time.hasSuffix("Z") ? String(time.dropLast()) : time
        return bare.replacing("T", with: " ", maxReplacements: 1)
    }
}
