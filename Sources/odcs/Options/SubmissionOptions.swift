import ArgumentParser
import ComposeClient
import ComposeModel

/// The options of composes of any source type.
struct SubmissionOptions: ParsableArguments {
    @Option(name: .customLong("arch"), help: ArgumentHelp("An architecture, as in x86_64. Repeatable.", valueName: "arch"))
    var arches: [String] = []

    @Option(
        name: .customLong("flag"),
        help: ArgumentHelp("How it is to be made. Repeatable.", valueName: "flag"))
    var flags: [OptionName<ComposeFlags>] = []

    @Flag(help: "Exactly the named packages, without their dependencies.")
    var noDeps = false

    @Flag(help: "Fail the compose if something in it could not be installed.")
    var checkDeps = false

    @Flag(help: "Only say what the compose would have. None is made.")
    var dryRun = false

    @Flag(help: "A compose of a raw configuration without a label.")
    var noLabel = false

    @Option(
        name: [.customLong("module"), .customLong("enable-module")],
        help: ArgumentHelp(
            "Choose packages as if this stream of a module were enabled, N:S, and not its default one. Repeatable.", valueName: "module"))
    var modules: [String] = []

    @Flag(help: "Let dnf see the packages whatever streams of modules are enabled.")
    var moduleHotfixes = false

    @Option(
        name: .customLong("sigkey"),
        help: ArgumentHelp(
            "Take packages signed by this key, the first one given first; 'none' allows unsigned ones. Repeatable.", valueName: "key id"))
    var sigkeys: [SignatureKey] = []

    @Option(
        name: [.customLong("lookaside"), .customLong("lookaside-repo")],
        help: ArgumentHelp("A repository whose packages satisfy requirements and stay out of the compose. Repeatable.", valueName: "url"))
    var lookaside: [String] = []

    @Option(
        name: .customLong("multilib-arch"),
        help: ArgumentHelp("Add the 32-bit packages for this architecture. Repeatable.", valueName: "arch"))
    var multilibArches: [String] = []

    @Option(
        name: .customLong("multilib-method"),
        help: ArgumentHelp("Which of them. Repeatable.", valueName: "method"))
    var multilibMethods: [OptionName<MultilibMethods>] = []

    @Option(
        name: [.customLong("results"), .customLong("result")],
        help: ArgumentHelp("A result to make besides the repository. Repeatable.", valueName: "result"))
    var results: [OptionName<ComposeResults>] = []

    @OptionGroup var compose: ComposeOptions

    /// Returns the request for a compose of `source`.
    func submission(of source: ComposeSubmission.Source, in console: Console) throws -> ComposeSubmission {
        var submission = ComposeSubmission(source: source)
        submission.source.sigkeys = sigkeys.map(\.id).nilIfEmpty
        submission.source.modules = modules.nilIfEmpty
        submission.moduleHotfixes = moduleHotfixes ? true : nil
        submission.arches = arches.nilIfEmpty
        submission.flags = allFlags.nilIfEmpty
        submission.results = results.map(\.name).nilIfEmpty
        submission.multilibArches = multilibArches.nilIfEmpty
        submission.multilibMethods = multilibMethods.map(\.name).nilIfEmpty
        submission.lookasideRepos = try lookaside.flatMap { try RepositoryLocation.resolve($0, in: console.directory) }.nilIfEmpty
        submission.secondsToLive = compose.ttl?.seconds
        submission.label = compose.label
        submission.composeType = compose.composeType
        submission.targetDir = compose.targetDir
        return submission
    }

    private var allFlags: [String] {
        let plain: [(Bool, String)] = [
            (noDeps, "no_deps"), (checkDeps, "check_deps"), (compose.noReuse, "no_reuse"), (noLabel, "no_label"),
        ]
        let asked = Set(flags.map(\.name) + plain.filter(\.0).map(\.1))
        return ComposeFlags.names.map(\.name).filter(asked.contains)
    }
}
