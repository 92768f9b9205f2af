import ComposeModel
import Foundation

/// What a compose is called in productmd's metadata: `odcs-12-1-20261121.t.0`.
struct ComposeIdentity: Hashable, Sendable {
    let layout: ComposeLayout
    /// `YYYYMMDD`, in UTC.
    let date: String
    let type: String

    init(_ compose: Compose) {
        layout = ComposeLayout(id: compose.id)
        date = compose.timeSubmitted.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
        type = compose.request.composeType ?? "test"
    }

    /// The suffixes of productmd's `COMPOSE_TYPE_SUFFIXES`.
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
