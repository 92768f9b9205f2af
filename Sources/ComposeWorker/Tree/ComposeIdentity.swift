import ComposeModel
import Foundation

/// A compose identity is the name of a compose in productmd's metadata, with the parts of that name.
/// Example: `odcs-12-1-20261121.t.0`.
struct ComposeIdentity: Hashable, Sendable {
    let layout: ComposeLayout
    /// The day on which the compose was requested, as `YYYYMMDD` in UTC.
    let date: String
    let type: String

    init(_ compose: Compose) {
        layout = ComposeLayout(id: compose.id)
        date = compose.timeSubmitted.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        type = compose.request.composeType ?? "test"
    }

    /// The name. Its suffix is the one that productmd's `COMPOSE_TYPE_SUFFIXES` has for the type.
    var id: String {
        let suffix =
            switch type {
            case "production": ""
            case "nightly": ".n"
            case "ci": ".ci"
            case "development": ".d"
            default: ".t"
            }
        return "\(layout.directory)-1-\(date)\(suffix).0"
    }
}
