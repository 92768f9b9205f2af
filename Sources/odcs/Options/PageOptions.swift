import ArgumentParser
import ComposeClient

/// The options for one page of a list.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Which page, counted from 1.", valueName: "number"))
    var page: Int?
    @Option(help: ArgumentHelp("How many on a page.", valueName: "number"))
    var limit: Int?

    /// Whether one of the options is given.
    var isSet: Bool { page != nil || limit != nil }

    func validate() throws {
        if let page, page < 1 { throw ValidationError("--page counts from 1") }
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
    }

    /// Prints a page as JSON or as a table, and says how to see the next page.
    func print(
        _ list: some Encodable, _ meta: ComposeList.Meta, isEmpty: Bool, of noun: (one: String, several: String),
        _ connection: ConnectionOptions, _ table: () -> Table
    ) throws {
        let console = Console.current
        if isEmpty, !connection.json {
            let text = meta.total == 0 ? "No \(noun.one) matches." : "Page \(meta.page) is past the last one, \(meta.pages)."
            return try console.err.line(text)
        }
        try connection.print(list, or: table().text(columns: console.out.isTerminal ? console.out.columns() : nil))
        if meta.page < meta.pages, console.err.isTerminal, !connection.json {
            try console.err.line(
                "Page \(meta.page) of \(meta.pages), \(meta.total) \(noun.several); --page \(meta.page + 1) shows more.")
        }
    }
}
