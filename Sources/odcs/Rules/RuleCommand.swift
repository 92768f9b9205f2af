import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command group `odcs rule`.
struct RuleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule",
        abstract: "Let images be built again by themselves when a watch or their base has newer packages.",
        discussion: """
            The service compares what the images have with what they could have. An image that
            has the packages is not built. One whose builds do not help is tried three times.

            EXAMPLES
              odcs rule add --watch-id 3 --images 'team/*'
              odcs rule add --base --images 'team/web' --images 'team/app'
              odcs rule list
              odcs rule remove 1
            """,
        subcommands: [RuleAdd.self, RuleListing.self, RuleRemove.self])
}

/// The command `odcs rule add`.
struct RuleAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a rule. The same rule again is the same rule.")

    // --watch is an option of every command.
    @Option(
        name: .customLong("watch-id"),
        help: ArgumentHelp("The watch that the images follow, as 'odcs watches' shows it.", valueName: "number"))
    var watchID: Int?
    @Flag(help: "The images follow the images that they build on.")
    var base = false
    @Option(parsing: .singleValue, help: ArgumentHelp("Images with such a name. * stands for any text. Repeatable.", valueName: "glob"))
    var images: [String]
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        guard (watchID != nil) != base else { throw ValidationError("Name either a watch, as in --watch-id 3, or --base") }
    }

    func run() async throws {
        let rule = try await connection.connect().addRule(RuleSubmission(watch: watchID, base: base ? true : nil, images: images))
        try connection.print(rule, or: RuleListing.table([rule]).text())
    }
}

/// The command `odcs rule list`.
struct RuleListing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List rules, the newest first, or show one.")

    @Argument(help: "A rule's number. Without it, those that stand are listed.")
    var id: Int?
    @Option(help: ArgumentHelp("Only those of this owner.", valueName: "name"))
    var owner: String?
    @Flag(help: "Also those that were removed.")
    var all = false
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if id != nil, owner != nil || all || paging.isSet {
            throw ValidationError("--owner, --all, --page and --limit are for the list, not for one rule")
        }
    }

    func run() async throws {
        let client = try connection.connect()
        if let id {
            let rule = try await client.rule(id)
            return try connection.print(rule, or: Self.table([rule]).text())
        }
        var query = WatchQuery()
        query.owner = owner
        query.includesEnded = all
        query.page = paging.page
        query.perPage = paging.limit
        let list = try await client.rules(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("rule", "rules"), connection) { Self.table(list.items) }
    }

    static func table(_ rules: [RuleDocument]) -> Table {
        let head = ["ID", "IMAGES", "FOLLOW", "OWNER", "BUILDS", "LOOKED (UTC)", "NOTE"]
        let rows = rules.map { rule -> [String] in
            let builds = rule.builds.prefix(3).map(String.init).joined(separator: " ")
            let followed = rule.watch.map { "watch \($0)" } ?? "their base"
            let note = rule.timeEnded.map { "ended \(Moment.brief($0))" } ?? rule.problem ?? ""
            return [
                String(rule.id), rule.images.joined(separator: " "), followed, rule.owner, builds.isEmpty ? "-" : builds,
                rule.timeLooked.map(Moment.brief) ?? "-", note,
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [1, 3, 6])
    }
}

/// The command `odcs rule remove`.
struct RuleRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a rule. The builds that it asked for go on.",
        discussion: "Its owner or an admin may. The end of a watch removes its rules too.")

    @Argument(help: "The rule's number, as 'odcs rule list' shows it.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let rule = try await connection.connect().removeRule(id)
        try connection.print(rule, or: "Rule \(rule.id) is removed.")
    }
}
