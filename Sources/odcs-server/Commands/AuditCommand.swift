import ArgumentParser
import ComposeStore
import ForeignText
import Foundation

/// The command `odcs-server audit`. It lists the writes, the refused writes, and the life of tokens.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "List the audit: writes, refused writes, and the life of tokens.",
        discussion: "Example: odcs-server audit --owner osbs --since 2026-11-30T00:00:00Z")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Only the actions of this account.") var owner: String?
    @Option(help: "Only the actions with this API token, by its id.") var token: String?
    @Option(help: "Only one outcome: done, refused or failed.") var outcome: String?
    @Option(help: "Only actions since this time, as in 2026-11-30T00:00:00Z.") var since: String?
    @Option(help: "The number of entries, the newest ones.") var last = 100
    @Flag(help: "Print one JSON object a line, for programs.") var json = false

    func run() async throws {
        var query = AuditQuery(account: owner, token: token)
        if let outcome {
            guard let known = AuditEntry.Outcome(rawValue: outcome) else {
                throw ValidationError("There is no outcome \(outcome.printable()). The outcomes are done, refused and failed.")
            }
            query.outcome = known
        }
        if let since {
            guard let time = try? Date(since, strategy: .iso8601) else {
                throw ValidationError("\(since.printable()) is not a time such as 2026-11-30T00:00:00Z.")
            }
            query.since = time
        }
        guard (1...1_000_000).contains(last) else { throw ValidationError("--last must be between 1 and 1000000.") }
        query.most = last
        let wanted = query
        try await options.withStore { store in
            for record in try await store.audit(wanted).reversed() { print(json ? try record.jsonLine() : record.line) }
        }
    }
}

extension AuditRecord {
    /// The entry as one line for people.
    var line: String {
        let sender = entry.sender
        var words = [time.formatted(.iso8601), entry.outcome.rawValue, sender.account ?? "(not known)", entry.action]
        if let object = entry.object { words.append(object) }
        if let token = sender.token { words.append("token \(token)") }
        if let address = sender.address { words.append("from \(address)") }
        words += entry.detail.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return words.map { $0.printable() }.joined(separator: "  ")
    }

    /// The entry as JSON on one line.
    func jsonLine() throws -> String {
        struct Line: Encodable {
            let id: Int
            let time, outcome, action: String
            let object, account, provider, token, rule, address, request: String?
            let detail: [String: String]
        }
        let sender = entry.sender
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(
            id: id, time: time.formatted(.iso8601), outcome: entry.outcome.rawValue, action: entry.action, object: entry.object,
            account: sender.account, provider: sender.provider, token: sender.token, rule: sender.rule, address: sender.address,
            request: sender.request, detail: entry.detail)
        return String(decoding: try encoder.encode(line), as: UTF8.self).jsonWithVisibleCharacters
    }
}
