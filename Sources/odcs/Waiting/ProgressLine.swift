import ForeignText

/// A progress line is the progress of a compose in one line: its number, its state, the time, and the
/// newest line of its log. While it waits, its place in the queue stands there instead of the log.
struct ProgressLine: Equatable {
    let id: Int
    /// The name of the state. It is empty before the first look.
    var state = ""
    /// The time since the waiting began.
    var elapsed: Duration = .zero
    var newest: String?
    /// The place in the queue, if the compose waits.
    var queue: String?

    init(id: Int) {
        self.id = id
    }

    /// Returns the line, at least one column shorter than `columns`, so that the cursor does not wrap.
    func text(columns: Int) -> String {
        let seconds = elapsed.components.seconds
        let time = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        let log = (queue ?? newest).map { "  " + $0.replacing("\t", with: " ").printable() } ?? ""
        let whole = "compose \(id): \(state.printable()) \(time)\(log)"
        let width = max(columns - 1, 1)
        return whole.count > width ? whole.prefix(width - 1) + "…" : whole
    }
}
