import ArgumentParser
import ComposeClient
import ComposeModel

extension Submit {
    /// The subcommands, one for each source type.
    static let sources: [any ParsableCommand.Type] = [
        SubmitTag.self, SubmitModule.self, SubmitRepo.self, SubmitPulp.self, SubmitRawConfig.self, SubmitBuild.self,
        SubmitPungiCompose.self,
    ]
}

/// The command `odcs submit tag`.
struct SubmitTag: SubmitCommand {
    static let configuration = CommandConfiguration(commandName: "tag", abstract: "Packages of a koji tag.")

    @Argument(help: "The tag, as in f26.")
    var tag: String
    @Argument(help: "The packages to take; all of them if none is named.")
    var packages: [String] = []
    @Option(name: .customLong("build"), help: ArgumentHelp("Add this build, tagged or not. Repeatable.", valueName: "n-v-r"))
    var builds: [String] = []

    @OptionGroup var scratch: ScratchBuildOptions
    @OptionGroup(title: "KOJI") var koji: KojiOptions
    @OptionGroup(title: "KOJI") var files: KojiFileOptions
    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) -> ComposeSubmission.Source {
        var source = ComposeSubmission.Source(type: "tag", source: tag, packages: packages.nilIfEmpty)
        koji.apply(to: &source)
        source.builds = builds.nilIfEmpty
        source.scratchBuildTasks = scratch.tasks.nilIfEmpty
        return source
    }

    func complete(_ submission: inout ComposeSubmission) { files.apply(to: &submission) }

    func run() async throws { try await submit() }
}

/// The command `odcs submit module`.
struct SubmitModule: SubmitCommand {
    static let configuration = CommandConfiguration(commandName: "module", abstract: "Modules, with all their packages.")

    @Argument(help: "Modules, written N:S, N:S:V or N:S:V:C.")
    var modules: [String] = []
    @Option(help: ArgumentHelp("Only modules built against this base module.", valueName: "name"))
    var baseModuleBrName: String?
    @Option(help: ArgumentHelp("The base module's stream.", valueName: "stream"))
    var baseModuleBrStream: String?
    @Option(name: .customLong("base-module-br-stream-version-lte"), help: ArgumentHelp("At most this stream version.", valueName: "number"))
    var baseModuleBrStreamVersionLTE: Int?
    @Option(
        name: .customLong("base-module-br-stream-version-gte"), help: ArgumentHelp("At least this stream version.", valueName: "number"))
    var baseModuleBrStreamVersionGTE: Int?

    @OptionGroup(title: "KOJI") var koji: KojiOptions
    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if modules.isEmpty && koji.scratchModules.isEmpty { throw ValidationError("Name a module, as in httpd:2.4, or a --scratch-module") }
    }

    func source(in console: Console) -> ComposeSubmission.Source {
        var source = ComposeSubmission.Source(type: "module", source: modules.nilIfEmpty?.joined(separator: " "))
        koji.apply(to: &source)
        source.baseModuleBrName = baseModuleBrName
        source.baseModuleBrStream = baseModuleBrStream
        source.baseModuleBrStreamVersionLTE = baseModuleBrStreamVersionLTE
        source.baseModuleBrStreamVersionGTE = baseModuleBrStreamVersionGTE
        return source
    }

    func run() async throws { try await submit() }
}

/// The command `odcs submit repo`.
struct SubmitRepo: SubmitCommand {
    static let configuration = CommandConfiguration(commandName: "repo", abstract: "Packages of RPM repositories.")

    @Argument(help: "A URL, or a directory that the service can read; several as one word, separated by spaces.", completion: .directory)
    var repository: String
    @Argument(help: "The packages to take; all of them if none is named.")
    var packages: [String] = []
    @Option(name: .customLong("source"), help: ArgumentHelp("One more repository. Repeatable.", valueName: "url"), completion: .directory)
    var sources: [String] = []

    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) throws -> ComposeSubmission.Source {
        let repositories = try ([repository] + sources).flatMap { try RepositoryLocation.resolve($0, in: console.directory) }
        return ComposeSubmission.Source(type: "repo", source: repositories.joined(separator: " "), packages: packages.nilIfEmpty)
    }

    func run() async throws { try await submit() }
}

/// The command `odcs submit pulp`.
struct SubmitPulp: SubmitCommand {
    static let configuration = CommandConfiguration(commandName: "pulp", abstract: "Content sets of a Pulp server.")

    @Argument(help: "The content sets.")
    var contentSets: [String]

    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) -> ComposeSubmission.Source {
        ComposeSubmission.Source(type: "pulp", source: contentSets.joined(separator: " "))
    }

    func run() async throws { try await submit() }
}

/// The command `odcs submit raw_config`.
struct SubmitRawConfig: SubmitCommand {
    static let configuration = CommandConfiguration(
        commandName: "raw_config", abstract: "One of the service's raw configurations; 'odcs about' lists them.", aliases: ["raw-config"])

    @Argument(help: "The configuration's name, or NAME#COMMIT.")
    var configurationName: String
    @Argument(help: "The commit or branch to take it from.")
    var commit: String?
    @Option(help: ArgumentHelp("Take the packages as of this koji event.", valueName: "number"))
    var kojiEvent: Int?
    @Option(name: .customLong("build"), help: ArgumentHelp("Add this build. Repeatable.", valueName: "n-v-r"))
    var builds: [String] = []

    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) -> ComposeSubmission.Source {
        var source = ComposeSubmission.Source(
            type: "raw_config", source: commit.map { "\(configurationName)#\($0)" } ?? configurationName)
        source.kojiEvent = kojiEvent
        source.builds = builds.nilIfEmpty
        return source
    }

    func validate() throws {
        guard (commit == nil) == configurationName.contains("#") else {
            throw ValidationError("Name the configuration and its commit, as in 'fedora main' or 'fedora#main'")
        }
    }

    func run() async throws { try await submit() }
}

/// The command `odcs submit build`.
struct SubmitBuild: SubmitCommand {
    static let configuration = CommandConfiguration(commandName: "build", abstract: "Packages of koji builds.")

    @Argument(help: "The builds, written name-version-release.")
    var builds: [String] = []
    @Option(
        name: .customLong("package"), help: ArgumentHelp("Take this package; all of them if none is named. Repeatable.", valueName: "name"))
    var packages: [String] = []

    @OptionGroup var scratch: ScratchBuildOptions
    @OptionGroup(title: "KOJI") var koji: KojiOptions
    @OptionGroup(title: "KOJI") var files: KojiFileOptions
    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if builds.isEmpty && scratch.tasks.isEmpty {
            throw ValidationError("Name a build, as in ed-1.14.2-2.fc26, or a --scratch-build-task")
        }
    }

    func source(in console: Console) -> ComposeSubmission.Source {
        var source = ComposeSubmission.Source(type: "build", packages: packages.nilIfEmpty)
        koji.apply(to: &source)
        source.builds = builds.nilIfEmpty
        source.scratchBuildTasks = scratch.tasks.nilIfEmpty
        return source
    }

    func complete(_ submission: inout ComposeSubmission) { files.apply(to: &submission) }

    func run() async throws { try await submit() }
}

/// The command `odcs submit pungi_compose`.
struct SubmitPungiCompose: SubmitCommand {
    static let configuration = CommandConfiguration(
        commandName: "pungi_compose", abstract: "Packages of a compose that Pungi made.", aliases: ["pungi-compose"])

    @Argument(help: "The URL of the compose's variant.")
    var compose: String
    @Argument(help: "The packages to take; all of them if none is named.")
    var packages: [String] = []

    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) -> ComposeSubmission.Source {
        ComposeSubmission.Source(type: "pungi_compose", source: compose, packages: packages.nilIfEmpty)
    }

    func run() async throws { try await submit() }
}
