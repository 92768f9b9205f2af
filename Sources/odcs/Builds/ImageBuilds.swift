import ArgumentParser
import ComposeClient
import ImageModel

/// The command `odcs image builds`.
struct ImageBuilds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builds",
        abstract: "List builds, the newest first, or show one of them.",
        discussion: """
            EXAMPLES
              odcs image builds --image team/web
              odcs image builds --state failed
              odcs image builds 7
            """)

    @Argument(help: "The number of one build.")
    var id: Int?
    @Option(help: ArgumentHelp("Only those of this image.", valueName: "image"))
    var image: ImageName?
    @Option(help: ArgumentHelp("Only those of this owner.", valueName: "name"))
    var owner: String?
    @Option(help: "Only those in this state.")
    var state: BuildState?
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if id != nil, image != nil || owner != nil || state != nil || paging.page != nil || paging.limit != nil {
            throw ValidationError("--image, --owner, --state, --page and --limit are for the list")
        }
    }

    func run() async throws {
        let client = try connection.connect()
        if let id {
            let build = try await client.build(id)
            return try connection.print(build, or: Self.text(build))
        }
        var query = BuildListQuery()
        query.image = try await image?.image(at: client).id
        query.owner = owner
        query.state = state
        query.page = paging.page
        query.perPage = paging.limit
        let list = try await client.builds(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("build", "builds"), connection) { Self.table(list.items) }
    }

    private static func table(_ builds: [BuildDocument]) -> Table {
        let head = ["ID", "STATE", "IMAGE", "TAG", "COMPOSES", "OWNER", "SUBMITTED (UTC)", "NOTE"]
        let rows = builds.map { build in
            [
                String(build.id), build.stateName, build.repository, build.dateTag,
                build.composes.isEmpty ? "-" : build.composes.map(String.init).joined(separator: " "), build.owner,
                Moment.brief(build.timeSubmitted), build.stateReason ?? "",
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [2, 5, 7])
    }

    private static func text(_ build: BuildDocument) -> String {
        let rows: [(String, String?)] = [
            ("build", String(build.id)), ("state", build.stateName), ("reason", build.stateReason), ("image", build.repository),
            ("tag", build.dateTag), ("digest", build.digest?.description), ("owner", build.owner),
            ("composes", build.composes.map(String.init).joined(separator: " ")), ("rebuild", build.rebuild.map(String.init)),
            ("waits for", build.waitsFor.map(String.init).joined(separator: " ")), ("submitted", Moment.text(build.timeSubmitted)),
            ("started", build.timeStarted.map(Moment.text)), ("done", build.timeDone.map(Moment.text)),
        ]
        let table = Table(
            rows: rows.compactMap { name, value in
                guard let value, !value.isEmpty else { return nil }
                return [name, value]
            })
        let steps = build.steps.map { step in
            [
                step.platform ?? "manifest list", step.stateName, step.attempts == 1 ? "1 attempt" : "\(step.attempts) attempts",
                step.digest?.description ?? step.stateReason ?? "",
            ]
        }
        return "\(table.text())\n\n\(Table(rows: steps, shrinkable: [3]).text())"
    }
}
