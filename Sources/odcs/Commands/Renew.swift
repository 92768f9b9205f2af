import ArgumentParser
import ComposeClient
import ComposeModel
import ForeignText

/// The command `odcs renew`.
struct Renew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Make a compose live longer, or make it again.",
        discussion: """
            A compose whose files are gone, that failed, or that is to have other keys, builds, modules or another label is made again
            under a new number, from the same inputs, and waited for.
            """)

    @Argument(help: "The compose's number.")
    var id: Int
    @Option(
        name: [.long, .customLong("seconds-to-live")],
        help: ArgumentHelp("How long it lives from now: seconds, or as in 90m, 1h, 2d.", valueName: "time"))
    var ttl: TimeToLive?
    @Option(help: ArgumentHelp("Another label.", valueName: "text"))
    var label: String?
    @Option(name: .customLong("sigkey"), help: ArgumentHelp("Other keys. Repeatable.", valueName: "key id"))
    var sigkeys: [SignatureKey] = []
    @Option(name: .customLong("build"), help: ArgumentHelp("Other builds. Repeatable.", valueName: "n-v-r"))
    var builds: [String] = []
    @Option(name: .customLong("module"), help: ArgumentHelp("Other modules. Repeatable.", valueName: "module"))
    var modules: [String] = []
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let source = builds.isEmpty && modules.isEmpty ? nil : ComposeRenewal.Source(builds: builds.nilIfEmpty, modules: modules.nilIfEmpty)
        let renewal = ComposeRenewal(secondsToLive: ttl?.seconds, label: label, sigkeys: sigkeys.map(\.id).nilIfEmpty, source: source)
        let client = try connection.connect()
        let compose = try await client.renew(id, renewal)
        guard compose.id != id, !patience.noWait else {
            return try connection.print(compose, or: text(compose))
        }
        if !patience.quiet { try Console.current.err.line("compose \(compose.id) is made from the inputs of \(id)") }
        try await patience.waiting(for: compose.id, client: client, json: connection.json).outcome(of: connection)
    }

    private func text(_ compose: ComposeDocument) -> String {
        guard compose.id == id else {
            return """
                Compose \(compose.id) is made from the inputs of \(id): \(compose.stateName.printable()).
                Next: odcs wait \(compose.id)
                """
        }
        return "Compose \(id) expires at \(compose.timeToExpire.map(Moment.text) ?? "no set time").".printable()
    }
}
