import ArgumentParser
import ComposeClient

/// Which of Koji's builds and modules a compose takes.
struct KojiOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take what was there at this koji event.", valueName: "number"))
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
