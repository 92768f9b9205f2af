import ForeignText

extension String {
    /// The foreign text in quotation marks, for a message. Invisible characters become spaces. Text after
    /// 200 code points is replaced by `…`.
    var shown: String {
        let visible = String(
            String.UnicodeScalarView(unicodeScalars.prefix(200).map { $0.isInvisible ? " " : $0 }))
        return "\"\(visible)\(unicodeScalars.count > 200 ? "…" : "")\""
    }
}
