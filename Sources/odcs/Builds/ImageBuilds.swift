import ArgumentParser
import ComposeClient
import ForeignText
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
        let verification = build.verification.isEmpty ? "" : "\n\n\(verification(build.verification))"
        // The reason of a step is shown in full, because no other command of this client shows it.
        return "\(table.text())\n\n\(Table(rows: steps).text())\(verification)"
    }

    /// The most changed packages that are named for a platform.
    private static let mostChanges = 20

    /// The comparison of the packages with those before: a line for each platform, its findings, and the
    /// packages that changed.
    static func verification(_ platforms: [VerificationDocument]) -> String {
        platforms.map { platform in
            func count(_ number: Int, _ word: String) -> String? { number == 0 ? nil : "\(number) \(word)" }
            let downgraded = platform.changed.count(where: \.isDowngrade)
            let counts = [
                platform.packages.map { $0 == 1 ? "1 package" : "\($0) packages" } ?? "packages not known",
                count(platform.changed.count - downgraded, "newer"), count(downgraded, "older"), count(platform.added.count, "added"),
                count(platform.vanished.count, "gone"), count(platform.stillOlder.count, "too old"),
            ]
            var lines = ["\(platform.platform): \(counts.compactMap(\.self).joined(separator: ", "))"]
            lines += platform.sentences.map { "  \($0)" }
            lines += platform.changed.prefix(mostChanges).map { "  \($0.before) -> \($0.after.evr)" }
            if platform.changed.count > mostChanges { lines.append("  and \(platform.changed.count - mostChanges) more") }
            return lines.map { $0.printable() }.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
