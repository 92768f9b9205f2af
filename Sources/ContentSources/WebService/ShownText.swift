import ForeignText

extension String {
    /// A text that somebody else wrote, in quotation marks, without what could not be seen, and not longer than somebody reads.
    var shown: String {
        let visible = String(
            String.UnicodeScalarView(unicodeScalars.prefix(200).map { $0.isInvisible ? " " : $0 }))
        return "\"\(visible)\(unicodeScalars.count > 200 ? "…" : "")\""
    }
}
