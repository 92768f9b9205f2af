/// Rows of text in columns that line up.
struct Table {
    var rows: [[String]]
    /// The columns that give way when a line would be too long.
    var shrinkable: Set<Int> = []

    /// The narrowest that a shrinkable column gets.
    private static let narrowest = 8

    /// Lines without trailing spaces or a line end; none is longer than `columns` if shrinking can help it. Without `columns` nothing is cut.
    func text(columns: Int? = nil) -> String {
        let widths = widths(columns: columns)
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let cell = Self.cut(cell.replacing("\n", with: " "), to: widths[index])
                line += cell
                if index < row.count - 1 { line += String(repeating: " ", count: widths[index] - cell.count + 2) }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    private func widths(columns: Int?) -> [Int] {
        let count = rows.map(\.count).max() ?? 0
        var widths = (0..<count).map { index in rows.map { index < $0.count ? $0[index].count : 0 }.max() ?? 0 }
        guard let columns else { return widths }
        var excess = widths.reduce(0, +) + 2 * max(count - 1, 0) - columns
        while excess > 0 {
            guard let widest = shrinkable.filter({ $0 < count && widths[$0] > Self.narrowest }).max(by: { widths[$0] < widths[$1] }) else {
                break
            }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private static func cut(_ text: String, to width: Int) -> String {
        text.count > width ? text.prefix(max(width - 1, 0)) + "…" : text
    }
}
