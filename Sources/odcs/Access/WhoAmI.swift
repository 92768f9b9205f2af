import ArgumentParser
import ComposeClient

/// The command `odcs whoami`.
struct WhoAmI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show the account that the service knows you by, and its rights.")

    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let me = try await connection.connect().me()
        try connection.print(me, or: AccountText(me).text)
    }
}

/// An *account text* is the answer about the sender's own account, for people. Each member is a row, so
/// that members of a newer service are shown too.
struct AccountText {
    private let members: [String: JSONValue]

    init(_ document: JSONValue) {
        if case .object(let members) = document { self.members = members } else { members = [:] }
    }

    /// The name of the account.
    var name: String { members["account"].map(Self.words) ?? "(no name)" }

    var text: String {
        let first = ["account", "provider"]
        let rest = members.keys.filter { !first.contains($0) }.sorted()
        let rows = (first + rest).compactMap { key -> [String]? in
            guard let words = members[key].map(Self.words), !words.isEmpty else { return nil }
            return [key.replacing("_", with: " "), words]
        }
        return Table(rows: rows).text()
    }

    private static func words(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .bool(let flag): flag ? "yes" : "no"
        case .null: ""
        case .array(let values): values.map(words).joined(separator: " ")
        case .object(let members): members.keys.sorted().map { "\($0)=\(words(members[$0] ?? .null))" }.joined(separator: " ")
        }
    }
}
