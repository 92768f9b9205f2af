import ArgumentParser
import ComposeClient
import ComposeModel

/// The command `odcs get`.
struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show a compose.")

    @Argument(help: "The compose's number.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let compose = try await connection.connect().get(id)
        try connection.print(compose, or: Self.table(compose).text())
    }

    /// Returns the table of a compose for people. Rows without a value are left out.
    static func table(_ compose: ComposeDocument) -> Table {
        let type = SourceType(rawValue: compose.sourceType)?.name ?? String(compose.sourceType)
        let rows: [(String, String?)] = [
            ("id", String(compose.id)), ("state", compose.stateName), ("reason", compose.stateReason), ("queue", compose.queue?.text()),
            ("owner", compose.owner),
            ("source", "\(type) \(compose.source)"), ("packages", compose.packages), ("builds", compose.builds),
            ("modules", compose.modules),
            ("arches", compose.arches), ("flags", compose.flags.joined(separator: " ")),
            ("results", compose.results.joined(separator: " ")),
            ("sigkeys", compose.sigkeys), ("lookaside", compose.lookasideRepos), ("multilib", compose.multilibArches),
            ("koji event", compose.kojiEvent.map(String.init)), ("watch", compose.watch.map(String.init)), ("label", compose.label),
            ("type", compose.composeType),
            ("submitted", compose.timeSubmitted), ("started", compose.timeStarted), ("done", compose.timeDone),
            ("expires", compose.timeToExpire), ("removed", compose.timeRemoved), ("removed by", compose.removedBy),
            ("repo file", compose.resultRepofile), ("repository", compose.resultRepo),
        ]
        let times: Set = ["submitted", "started", "done", "expires", "removed"]
        return Table(
            rows: rows.compactMap { name, value in
                guard let value, !value.isEmpty else { return nil }
                return [name, times.contains(name) ? Moment.text(value) : value]
            })
    }
}
