import ArgumentParser
import ComposeClient
import ComposeModel
import ImageModel

/// The command `odcs watch-tag`.
struct WatchTag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch-tag",
        abstract: "Have packages of a koji tag composed now, and again whenever they change.",
        discussion: """
            The service looks at the tag by itself, until 'odcs unwatch'. It makes a compose when the packages that would be in it are \
            others than before, and none without a change. To ask for the same again is to have the same watch.

            EXAMPLES
              odcs watch-tag f26 --packages httpd
              odcs watch-tag f26 --packages httpd mod_ssl --sigkey db42a60e --follow
              odcs watch-tag f26 --packages openssl --rebuild 'team/*'
            """)

    @Argument(help: "The tag, as in f26.")
    var tag: String
    @Argument(help: "The packages to take; all of them if none is named.")
    var packages: [String] = []
    @Option(
        name: [.customLong("packages"), .customLong("package")], parsing: .upToNextOption,
        help: ArgumentHelp("Packages to take, as those after the tag are.", valueName: "name"))
    var morePackages: [String] = []
    @Option(name: .customLong("build"), help: ArgumentHelp("Add this build, tagged or not. Repeatable.", valueName: "n-v-r"))
    var builds: [String] = []
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Build the images with such a name again when a compose has newer packages. Repeatable.", valueName: "glob"))
    var rebuild: [String] = []
    @Flag(help: "Stay, and print each compose that comes of it.")
    var follow = false

    @OptionGroup var scratch: ScratchBuildOptions
    @OptionGroup(title: "KOJI") var koji: KojiOptions
    @OptionGroup(title: "KOJI") var files: KojiFileOptions
    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if options.dryRun {
            throw ValidationError("--dry-run is for one compose: use 'odcs submit tag' with it")
        }
        if koji.kojiEvent != nil {
            throw ValidationError("--koji-event is what a tag was, and a watch is for what it becomes; 'odcs submit tag' takes an event")
        }
    }

    func run() async throws {
        var source = ComposeSubmission.Source(type: "tag", source: tag, packages: (packages + morePackages).nilIfEmpty)
        koji.apply(to: &source)
        source.builds = builds.nilIfEmpty
        source.scratchBuildTasks = scratch.tasks.nilIfEmpty

        let client = try connection.connect()
        var submission = try options.submission(of: source, in: .current)
        files.apply(to: &submission)
        let watch = try await client.startWatch(submission)
        // Both requests can be repeated: the same watch and the same rule exist once.
        let rule = rebuild.isEmpty ? nil : try await addRule(to: watch, client)
        guard follow else {
            let rules = rule.map { "Rule \($0.id) builds \($0.images.joined(separator: " ")) again.\n" } ?? ""
            let next = "Next: odcs watches \(watch.id) --follow\n  or: odcs unwatch \(watch.id)"
            return try connection.print(watch, or: "\(Watches.table(watch).text())\n\(rules)\(next)")
        }
        try await FollowedWatch(watch: watch, client: client, connection: connection, console: .current).untilEnded()
    }

    private func addRule(to watch: WatchDocument, _ client: ComposeClient) async throws -> RuleDocument {
        do {
            return try await client.addRule(RuleSubmission(watch: watch.id, images: rebuild))
        } catch {
            try Console.current.err.line("Watch \(watch.id) is there, but no image follows it.")
            throw error
        }
    }
}
