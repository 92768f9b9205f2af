import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs rebuild`.
struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Build the images again that have older packages than a compose.",
        discussion: """
            The plan has the images with their parents first, and the cause for each. An
            image is built when its parents are done. --dry-run only shows the plan. If
            the compose is not done yet, the rebuild waits for it. With --build, the
            service first makes a compose of builds of Koji.

            EXAMPLES
              odcs rebuild --compose 12 --dry-run
              odcs rebuild --build openssl-3.0.7-28.el9 --advisory RHSA-2026:1234 --wait
              odcs rebuild --compose 12 --images 'team/*' --advisory RHSA-2026:1234 --wait
            """)

    @Option(help: ArgumentHelp("The compose with the newer packages.", valueName: "number"))
    var compose: Int?
    @Option(
        name: .customLong("build"), parsing: .singleValue,
        help: ArgumentHelp("A build of Koji with newer packages, instead of a compose. Repeatable.", valueName: "n-v-r"))
    var builds: [String] = []
    @Option(
        parsing: .singleValue, help: ArgumentHelp("Only images with such a name. * stands for any text. Repeatable.", valueName: "glob"))
    var images: [String] = []
    @Option(parsing: .singleValue, help: ArgumentHelp("Leave images with such a name out. Repeatable.", valueName: "glob"))
    var exclude: [String] = []
    @Option(
        parsing: .singleValue, help: ArgumentHelp("Only this package of the compose. Repeatable.", valueName: "name"))
    var package: [String] = []
    @Flag(help: "Build images whose packages are not known too.")
    var unknown = false
    @Option(help: ArgumentHelp("The advisory that is the cause.", valueName: "id"))
    var advisory: String?
    @Option(
        name: .customLong("cve"), parsing: .singleValue, help: ArgumentHelp("A CVE that is the cause. Repeatable.", valueName: "id"))
    var cves: [String] = []
    @Option(help: ArgumentHelp("The tag of the manifest lists. Default: the day in UTC, as 20261129.", valueName: "tag"))
    var dateTag: String?
    @Option(help: ArgumentHelp("Builds with a greater priority begin first.", valueName: "number"))
    var priority: Int?
    @Flag(help: "Only show the plan.")
    var dryRun = false
    @Flag(help: "Wait until all builds have ended.")
    var wait = false
    @Flag(name: [.long, .short], help: "Print nothing while waiting.")
    var quiet = false
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if (compose == nil) == builds.isEmpty {
            throw ValidationError("Name either a --compose, as in --compose 12, or a --build, as in --build ed-1.14.2-2.fc26")
        }
        if dryRun, !builds.isEmpty {
            throw ValidationError("--dry-run needs a compose that is done; 'odcs submit build' makes one of builds")
        }
        if dryRun, wait { throw ValidationError("--dry-run builds nothing, so there is nothing to --wait for") }
    }

    func run() async throws {
        let client = try connection.connect()
        var submission = RebuildSubmission()
        submission.compose = compose
        submission.builds = builds.nilIfEmpty
        submission.images = images.nilIfEmpty
        submission.exclude = exclude.nilIfEmpty
        submission.packages = package.nilIfEmpty
        submission.unknown = unknown ? true : nil
        submission.advisory = advisory
        submission.cves = cves.nilIfEmpty
        submission.dateTag = dateTag
        submission.priority = priority
        submission.dryRun = dryRun ? true : nil
        let rebuild = try await client.startRebuild(submission)
        guard wait, let id = rebuild.id else {
            return try connection.print(rebuild, or: RebuildText(rebuild).plan)
        }
        if !connection.json, !quiet { try Console.current.err.line(RebuildText(rebuild).plan.printable(keepingLines: true)) }
        let waiting = RebuildWaiting(id: id, client: client, console: .current, isQuiet: quiet, json: connection.json)
        let (ended, builds) = try await waiting.untilFinal(rebuild)
        try connection.print(ended, or: RebuildText(ended, builds: builds).chain)
        guard ended.state == BuildState.done.rawValue else { throw CommandFailure(.composeFailed) }
    }
}

/// The command `odcs rebuilds`.
struct Rebuilds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuilds",
        abstract: "List rebuilds, the newest first, or show or cancel one of them.",
        discussion: """
            A canceled rebuild ends those of its builds that no other rebuild needs.

            EXAMPLES
              odcs rebuilds
              odcs rebuilds 3
              odcs rebuilds 3 --cancel
            """)

    @Argument(help: "The number of one rebuild.")
    var id: Int?
    @Flag(help: "Cancel the rebuild. Its owner or an admin may.")
    var cancel = false
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if id != nil, paging.page != nil || paging.limit != nil { throw ValidationError("--page and --limit are for the list") }
        if cancel, id == nil { throw ValidationError("--cancel needs the number of a rebuild, as in 'odcs rebuilds 3 --cancel'") }
    }

    func run() async throws {
        let client = try connection.connect()
        guard let id else {
            let list = try await client.rebuilds(page: paging.page, perPage: paging.limit)
            return try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("rebuild", "rebuilds"), connection) {
                Self.table(list.items)
            }
        }
        if cancel {
            let answer = try await client.cancelRebuild(id)
            return try connection.print(answer, or: answer.message.printable())
        }
        let rebuild = try await client.rebuild(id)
        guard !connection.json, rebuild.isFinal, !rebuild.buildIDs.isEmpty else {
            return try connection.print(rebuild, or: RebuildText(rebuild).plan)
        }
        var builds: [BuildDocument] = []
        for build in rebuild.buildIDs { builds.append(try await client.build(build)) }
        try connection.print(rebuild, or: RebuildText(rebuild, builds: builds).chain)
    }

    private static func table(_ rebuilds: [RebuildDocument]) -> Table {
        let head = ["ID", "STATE", "COMPOSE", "ADVISORY", "BUILDS", "OWNER", "SUBMITTED (UTC)", "NOTE"]
        let rows = rebuilds.map { rebuild in
            [
                rebuild.id.map(String.init) ?? "-", rebuild.stateName ?? "-", String(rebuild.compose), rebuild.advisory ?? "-",
                String(rebuild.buildIDs.count), rebuild.owner ?? "-", rebuild.timeSubmitted.map(Moment.brief) ?? "-",
                rebuild.stateReason ?? "",
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [3, 5, 7])
    }
}

extension RebuildDocument {
    /// Whether nothing more is built. A state that this version does not know counts as final.
    var isFinal: Bool { state.flatMap(BuildState.init(rawValue:))?.isFinal ?? true }
    /// The builds, with parents before their children.
    var buildIDs: [Int] { plan.compactMap(\.build) }
}
