import ArgumentParser
import ComposeClient
import ComposeModel

/// The options that select Koji's builds and modules for a compose.
struct KojiOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take the packages as of this koji event.", valueName: "number"))
    var kojiEvent: Int?
    @Option(
        name: [.customLong("modular-koji-tag"), .customLong("modular-tag")],
        help: ArgumentHelp("Add the modules of this tag. Repeatable.", valueName: "tag"))
    var modularKojiTags: [String] = []
    @Option(help: ArgumentHelp("A git repository of module defaults.", valueName: "url"))
    var moduleDefaultsURL: String?
    @Option(help: ArgumentHelp("The commit or branch of it.", valueName: "commit"))
    var moduleDefaultsCommit: String?
    @Option(name: .customLong("scratch-module"), help: ArgumentHelp("Add this scratch build, N:S:V:C. Repeatable.", valueName: "module"))
    var scratchModules: [String] = []

    func validate() throws {
        if (moduleDefaultsURL == nil) != (moduleDefaultsCommit == nil) {
            throw ValidationError("--module-defaults-url and --module-defaults-commit come together or not at all")
        }
    }

    func apply(to source: inout ComposeSubmission.Source) {
        source.kojiEvent = kojiEvent
        source.modularKojiTags = modularKojiTags.nilIfEmpty
        source.moduleDefaultsURL = moduleDefaultsURL
        source.moduleDefaultsCommit = moduleDefaultsCommit
        source.scratchModules = scratchModules.nilIfEmpty
    }
}

/// The option for scratch builds. They are only tries, so no tag contains them.
struct ScratchBuildOptions: ParsableArguments {
    @Option(
        name: .customLong("scratch-build-task"), help: ArgumentHelp("Add the packages of this koji task. Repeatable.", valueName: "task id")
    )
    var tasks: [String] = []
}

/// The options for the files of Koji's packages.
struct KojiFileOptions: ParsableArguments {
    /// The behavior for packages that no wanted key has signed.
    enum OnUnsigned: String, ExpressibleByArgument, CaseIterable {
        case fail, wait
    }

    @Option(help: ArgumentHelp("Whether the compose has its packages (link) or says where in Koji they are.", valueName: "way"))
    var delivery: Delivery?
    @Option(help: ArgumentHelp("Whether it fails when packages lack the wanted signatures, or waits for them.", valueName: "what"))
    var onUnsigned: OnUnsigned?
    @Option(help: ArgumentHelp("How long it waits for signatures: seconds, or as in 90m, 1h.", valueName: "time"))
    var unsignedWait: TimeToLive?

    func validate() throws {
        if unsignedWait != nil, onUnsigned != .wait { throw ValidationError("--unsigned-wait goes with --on-unsigned wait") }
    }

    func apply(to submission: inout ComposeSubmission) {
        submission.delivery = delivery?.rawValue
        submission.onUnsigned = onUnsigned?.rawValue
        submission.unsignedWaitSeconds = unsignedWait?.seconds
    }
}
