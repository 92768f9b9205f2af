import ForeignText

/// A table is rows of text with aligned columns.
struct Table {
    var rows: [[String]]
    /// The columns that become narrower if a line would be too long.
    var shrinkable: Set<Int> = []

    /// The minimum width of a shrinkable column, in characters.
    private static let narrowest = 8
    /// The maximum width of a shrinkable column, in characters. It applies in a wide terminal and in a pipe
    /// as well, because programs that need a whole text use JSON.
    static let widest = 80

    /// Returns the lines without trailing spaces, and without a line end after the last one. No line is
    /// longer than `columns`, if shrinking can prevent it.
    ///
    /// - Parameter columns: The terminal's width. It is `nil` in a pipe, where only cells wider than
    ///   ``widest`` are cut.
    func text(columns: Int? = nil) -> String {
        let cells = rows.map { row in row.enumerated().map { index, cell in shown(cell, in: index) } }
        let widths = widths(of: cells, columns: columns)
        return cells.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let cell = Self.cut(cell, to: widths[index])
                line += cell
                if index < row.count - 1 { line += String(repeating: " ", count: widths[index] - cell.count + 2) }
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// Returns a cell on one line, in printable characters.
    private func shown(_ cell: String, in column: Int) -> String {
        // A character may consist of several code points, and a hostile one of a million.
        guard shrinkable.contains(column) else { return cell.replacing("\n", with: " ").printable() }
        let start = cell.replacing("\n", with: " ").printable(most: 4 * Self.widest)
        return Self.cut(start, to: Self.widest)
    }

    private func widths(of cells: [[String]], columns: Int?) -> [Int] {
        let count = cells.map(\.count).max() ?? 0
        var widths = (0..<count).map { index in cells.map { index < $0.count ? $0[index].count : 0 }.max() ?? 0 }
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
