import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image build`.
struct ImageBuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Have images built, and wait for them.",
        discussion: """
            The service builds all platforms, pushes them, writes the manifest list under
            the day's tag, and then moves the tag latest. The second build of a day gets
            the tag DATE.2. Images are added with 'odcs image add'.

            EXAMPLES
              odcs image build team/web
              odcs image build team/base team/web --compose 12
              odcs image build team/web --platform linux/arm64 --arg VERSION=2 --no-latest
              odcs image build team/web --no-wait --json
            """)

    @Argument(help: "The images' numbers or names.")
    var images: [ImageName]
    @Option(
        name: .customLong("platform"), help: ArgumentHelp("Build only this platform. Repeatable.", valueName: "platform"),
        transform: { try PlatformArgument.platform($0) })
    var platforms: [Platform] = []
    @Option(name: .customLong("arg"), help: ArgumentHelp("The value of an ARG instruction. Repeatable.", valueName: "name=value"))
    var arguments: [NamedValue] = []
    @Option(
        name: .customLong("compose"),
        help: ArgumentHelp("A compose whose packages the build may install. Repeatable.", valueName: "number"))
    var composes: [Int] = []
    @Option(help: ArgumentHelp("The tag of the manifest list. Default: the day in UTC, as 20261129.", valueName: "tag"))
    var dateTag: String?
    @Flag(help: "Leave the tag latest where it is.")
    var noLatest = false
    @Option(help: ArgumentHelp("Builds with a greater priority begin first.", valueName: "number"))
    var priority: Int?
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        var submission = BuildSubmission()
        submission.platforms = platforms.map(\.description).nilIfEmpty
        submission.arguments = NamedValue.dictionary(arguments)
        submission.composes = composes.nilIfEmpty
        submission.dateTag = dateTag
        submission.movesLatest = noLatest ? false : nil
        submission.priority = priority
        // All names are looked up before anything is built.
        var known: [ImageDocument] = []
        for image in images { known.append(try await image.image(at: client)) }
        var builds: [BuildDocument] = []
        for image in known { builds.append(try await client.startBuild(of: image.id, submission)) }
        guard patience.noWait else {
            return try await BuildWaiting(
                ids: builds.map(\.id), client: client, console: .current, showsLog: patience.watch, isQuiet: patience.quiet,
                json: connection.json
            ).outcome(of: connection)
        }
        if connection.json, builds.count > 1 { return try Console.current.out.line(JSONText(builds).text) }
        for build in builds { try connection.print(build, or: BuildOutcome(build).text) }
    }
}

/// The command `odcs image wait`.
struct ImageWait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until builds have ended.",
        discussion: """
            EXAMPLE
              odcs image wait 7 8
            """)

    @Argument(help: "The builds' numbers.")
    var builds: [Int]
    // Options with these names would be taken for those of odcs itself.
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        guard !patience.noWait else {
            var shown: [BuildDocument] = []
            for id in builds { shown.append(try await client.build(id)) }
            if connection.json, shown.count > 1 { return try Console.current.out.line(JSONText(shown).text) }
            for build in shown { try connection.print(build, or: BuildOutcome(build).text) }
            return
        }
        try await BuildWaiting(
            ids: builds, client: client, console: .current, showsLog: patience.watch, isQuiet: patience.quiet, json: connection.json
        ).outcome(of: connection)
    }
}

/// A name with a value, as in `VERSION=2`.
struct NamedValue: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        (name, value) = (String(parts[0]), String(parts[1]))
    }

    /// Returns the values by name. The last one of a name counts. Nil without values.
    static func dictionary(_ values: [NamedValue]) -> [String: String]? {
        values.isEmpty ? nil : Dictionary(values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}
