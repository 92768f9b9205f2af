import ForeignText

/// How a compose gets on, in one line: which one, its state, for how long, and the newest line of its log.
struct ProgressLine: Equatable {
    let id: Int
    /// Not known before the first look.
    var state = ""
    /// Since the waiting began.
    var elapsed: Duration = .zero
    var newest: String?

    init(id: Int) {
        self.id = id
    }

    /// At most one column less than `columns`, so that the cursor does not wrap.
    func text(columns: Int) -> String {
        let seconds = elapsed.components.seconds
        let time = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        let log = newest.map { "  " + $0.replacing("\t", with: " ").printable() } ?? ""
        let whole = "compose \(id): \(state.printable()) \(time)\(log)"
        let width = max(columns - 1, 1)
        return whole.count > width ? whole.prefix(width - 1) + "…" : whole
    }
}
