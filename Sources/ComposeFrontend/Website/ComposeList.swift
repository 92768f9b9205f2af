import ComposeModel
import ForeignText

/// A table of composes on a page.
struct ComposeList: Sendable {
    struct Row: Sendable {
        let id: Int
        let state: ShownState
        let type: String
        let source: String
        let packages: String
        let owner: String
        let submitted: ShownTime
        /// Words beside the state, for example why the compose waits.
        var note: String?
        /// The address of the changes since an older compose.
        var difference: String?

        private static let mostText = 80

        init(_ compose: Compose, note: String? = nil, difference: String? = nil) {
            id = compose.id
            state = ShownState(compose.state.name)
            let request = compose.request
            type = request.sourceType.name
            let words = compose.source.isEmpty ? (request.builds + request.scratchBuildTasks).joined(separator: " ") : compose.source
            source = words.shown(Self.mostText)
            packages = request.packages.isEmpty ? "all" : request.packages.prefix(20).joined(separator: " ").shown(Self.mostText)
            owner = compose.owner.shown(Self.mostText)
            submitted = ShownTime(compose.timeSubmitted)
            self.note = note
            self.difference = difference
        }
    }

    let caption: String
    let rows: [Row]

    /// Returns `nil` for a list without composes.
    init?(_ caption: String, _ rows: [Row]) {
        guard !rows.isEmpty else { return nil }
        self.caption = caption
        self.rows = rows
    }
}

/// A choice among a few values, in a form.
struct Choice: Sendable {
    let value: String
    let text: String
    let isChosen: Bool

    static func of(_ values: [(value: String, text: String)], chosen: String?) -> [Choice] {
        values.map { Choice(value: $0.value, text: $0.text, isChosen: $0.value == chosen) }
    }
}
