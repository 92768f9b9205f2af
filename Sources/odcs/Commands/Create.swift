import ArgumentParser
import ComposeClient
import ComposeModel

/// A subcommand of `odcs submit` under the name that it has in the published Python client. Example:
/// `create-tag` is `submit tag`.
struct Create<Command: SubmitCommand>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: "The same as 'odcs submit \(submitName)'.")
    }

    private static var submitName: String { Command.configuration.commandName ?? Command._commandName }
    private static var name: String { "create-" + submitName.replacing("_", with: "-") }

    @OptionGroup var command: Command

    func run() async throws {
        try await command.submit(as: Self.name)
    }
}

/// The command `odcs create`, which the published Python client calls deprecated. It makes a compose of
/// a source of any type.
struct CreateOfType: SubmitCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "A compose of any kind of source; deprecated, use the others.")

    @Argument(help: "The kind of source.")
    var type: SourceType
    @Argument(help: "The source; several words as one, separated by spaces.")
    var source: String
    @Argument(help: "The packages to take, or for the type build more builds; all packages if none is named.")
    var packages: [String] = []

    @OptionGroup(title: "KOJI") var koji: KojiOptions
    @OptionGroup(title: "COMPOSE") var options: SubmissionOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func source(in console: Console) throws -> ComposeSubmission.Source {
        var asked = ComposeSubmission.Source(type: type.name, source: source, packages: packages.nilIfEmpty)
        switch type {
        case .repo:
            asked.source = try RepositoryLocation.resolve(source, in: console.directory).joined(separator: " ")
        case .build:
            asked = ComposeSubmission.Source(type: type.name)
            asked.builds = (source.split(separator: " ").map(String.init) + packages).nilIfEmpty
        default: break
        }
        koji.apply(to: &asked)
        return asked
    }

    func run() async throws {
        try await submit(as: "create")
    }
}
