import ArgumentParser
import ComposeClient
import ComposeModel

/// The command `odcs watches`.
struct Watches: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watches",
        abstract: "List the watches that watch-tag began, or show and follow one.",
        discussion: "With --json, --follow prints nothing but the composes on stdout.")

    @Argument(help: "A watch's number; without it, those that stand are listed, the newest first.")
    var id: Int?
    @Flag(help: "Stay, and print its newest compose, then each one that comes.")
    var follow = false
    @Option(help: ArgumentHelp("Only those of this owner.", valueName: "name"))
    var owner: String?
    @Flag(help: "Also those that have ended.")
    var all = false
    @Option(help: ArgumentHelp("Which page, counted from 1.", valueName: "number"))
    var page: Int?
    @Option(help: ArgumentHelp("How many on a page.", valueName: "number"))
    var limit: Int?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if let page, page < 1 { throw ValidationError("--page counts from 1") }
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
        if follow, id == nil { throw ValidationError("--follow needs the number of a watch, as in 'odcs watches 3 --follow'") }
        if id != nil, owner != nil || all || page != nil || limit != nil {
            throw ValidationError("--owner, --all, --page and --limit are for the list, not for one watch")
        }
    }

    func run() async throws {
        let client = try connection.connect()
        guard let id else { return try await list(client) }
        let watch = try await client.watch(id)
        guard follow else { return try connection.print(watch, or: Self.table(watch).text()) }
        try await FollowedWatch(watch: watch, client: client, connection: connection, console: .current).untilEnded()
    }

    private func list(_ client: ComposeClient) async throws {
        var query = WatchQuery()
        query.owner = owner
        query.includesEnded = all
        query.page = page
        query.perPage = limit
        let list = try await client.watches(query)
        let console = Console.current
        if list.items.isEmpty, !connection.json {
            let meta = list.meta
            return try console.err.line(
                meta.total == 0 ? "No watch matches." : "Page \(meta.page) is past the last one, \(meta.pages).")
        }
        try connection.print(list, or: Self.table(list.items).text(columns: console.out.isTerminal ? console.out.columns() : nil))
        if list.meta.page < list.meta.pages, console.err.isTerminal, !connection.json {
            try console.err.line(
                "Page \(list.meta.page) of \(list.meta.pages), \(list.meta.total) watches; --page \(list.meta.page + 1) shows more.")
        }
    }

    static func table(_ watches: [WatchDocument]) -> Table {
        let head = ["ID", "TAG", "PACKAGES", "OWNER", "COMPOSE", "LOOKED (UTC)", "NOTE"]
        let rows = watches.map { watch in
            [
                String(watch.id), watch.source, watch.packages ?? "-", watch.owner, watch.latestCompose.map { String($0.id) } ?? "-",
                watch.timeLooked.map(Moment.brief) ?? "-",
                watch.timeEnded.map { "ended \(Moment.brief($0))" } ?? watch.problem ?? "",
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [1, 2, 3, 6])
    }

    /// Returns the table of a watch for people. Rows without a value are left out.
    static func table(_ watch: WatchDocument) -> Table {
        let rows: [(String, String?)] = [
            ("watch", String(watch.id)), ("owner", watch.owner), ("tag", watch.source), ("packages", watch.packages),
            ("builds", watch.builds), ("scratch builds", watch.scratchBuildTasks), ("modules", watch.modules),
            ("hotfixes", watch.moduleHotfixes == true ? "yes" : nil), ("arches", watch.arches),
            ("flags", watch.flags.joined(separator: " ")), ("results", watch.results.joined(separator: " ")),
            ("sigkeys", watch.sigkeys), ("lookaside", watch.lookasideRepos), ("multilib", watch.multilibArches),
            ("label", watch.label), ("type", watch.composeType), ("respin of", watch.respinOf), ("parents", watch.parentPungiComposeIDs),
            ("began", Moment.text(watch.timeCreated)),
            ("ended", watch.timeEnded.map(Moment.text)), ("looked", watch.timeLooked.map(Moment.text)),
            ("koji event", watch.kojiEvent.map(String.init)), ("compose", watch.latestCompose.map { String($0.id) } ?? "none yet"),
            ("problem", watch.problem),
        ]
        return Table(
            rows: rows.compactMap { name, value in
                guard let value, !value.isEmpty else { return nil }
                return [name, value]
            })
    }
}
