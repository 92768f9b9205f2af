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
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if follow, id == nil { throw ValidationError("--follow needs the number of a watch, as in 'odcs watches 3 --follow'") }
        if id != nil, owner != nil || all || paging.isSet {
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
        query.page = paging.page
        query.perPage = paging.limit
        let list = try await client.watches(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("watch", "watches"), connection) { Self.table(list.items) }
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
