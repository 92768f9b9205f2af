import ArgumentParser
import ComposeClient
import ComposeModel

/// The command `odcs list`.
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List composes, the newest first.",
        discussion: "Texts of more than \(Table.widest) characters are cut. 'odcs get' and --json show all of them.")

    @Option(help: ArgumentHelp("Only those of this owner.", valueName: "name"))
    var owner: String?
    @Option(help: "Only those in this state.")
    var state: ComposeState?
    @Option(name: .customLong("type"), help: ArgumentHelp("Only those made from this kind of source.", valueName: "type"))
    var sourceType: SourceType?
    @Option(help: ArgumentHelp("Only those made from exactly this source.", valueName: "words"))
    var source: String?
    @Option(help: ArgumentHelp("Only those with this label.", valueName: "text"))
    var label: String?
    @Option(help: ArgumentHelp("Only those of this compose type.", valueName: "type"))
    var composeType: String?
    @Option(name: .customLong("koji-task-id"), help: ArgumentHelp("Only that of this koji task.", valueName: "number"))
    var kojiTaskID: Int?
    @Option(name: .customLong("pungi-compose-id"), help: ArgumentHelp("Only that with this Pungi compose id.", valueName: "id"))
    var pungiComposeID: String?
    @OptionGroup var paging: PageOptions
    @Option(
        name: .customLong("order"), parsing: .unconditional,
        help: ArgumentHelp("\(ComposeQuery.orders.joined(separator: ", ")); with a leading - for descending.", valueName: "key"),
        completion: .list(ComposeQuery.orders.flatMap { [$0, "-" + $0] }))
    var order: String?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if let order, !ComposeQuery.orders.contains(order.hasPrefix("-") ? String(order.dropFirst()) : order) {
            throw ValidationError("--order is one of \(ComposeQuery.orders.joined(separator: ", ")), with a leading - for descending")
        }
    }

    func run() async throws {
        var query = ComposeQuery()
        query.owner = owner
        query.state = state
        query.sourceType = sourceType
        query.source = source
        query.label = label
        query.composeType = composeType
        query.kojiTaskID = kojiTaskID
        query.pungiComposeID = pungiComposeID
        query.page = paging.page
        query.perPage = paging.limit
        query.order = order

        let list = try await connection.connect().list(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("compose", "composes"), connection) { Self.table(list.items) }
    }

    static func table(_ composes: [ComposeDocument]) -> Table {
        let head = ["ID", "STATE", "TYPE", "SOURCE", "PACKAGES", "OWNER", "SUBMITTED (UTC)", "EXPIRES (UTC)"]
        let rows = composes.map { compose in
            [
                String(compose.id), compose.stateName, SourceType(rawValue: compose.sourceType)?.name ?? String(compose.sourceType),
                compose.source.isEmpty ? "-" : compose.source, compose.packages ?? "-", compose.owner,
                Moment.brief(compose.timeSubmitted), compose.timeToExpire.map(Moment.brief) ?? "-",
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [3, 4, 5])
    }
}
