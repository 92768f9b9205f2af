/// A time of the contract, as people read it.
enum Moment {
    /// `2026-11-21T10:04:05Z` as `2026-11-21 10:04:05 UTC`.
    static func text(_ time: String) -> String {
        brief(time) + (time.hasSuffix("Z") ? " UTC" : "")
    }

    /// The same without the zone, for a column whose head names it.
    static func brief(_ time: String) -> String {
        let bare = time.hasSuffix("Z") ? String(time.dropLast()) : time
        return bare.replacing("T", with: " ", maxReplacements: 1)
    }
}
