import ArgumentParser
import ComposeClient

/// The command `odcs about`.
struct About: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "about", abstract: "Show the version and the settings that the service reports.")

    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let service = try await client.about()
        try connection.print(service, or: Self.table(service, at: client.server).text())
    }

    private static func table(_ service: ServiceDescription, at server: ServerAddress) -> Table {
        var rows = [["server", server.description], ["version", service.version]]
        if let backend = service.authBackend { rows.append(["authentication", backend]) }
        if let keys = service.sigkeys, !keys.isEmpty { rows.append(["sigkeys", keys.joined(separator: " ")]) }
        if case .object(let configurations)? = service.rawConfigURLs, !configurations.isEmpty {
            rows.append(["raw configurations", configurations.keys.sorted().joined(separator: " ")])
        }
        return Table(rows: rows)
    }
}
