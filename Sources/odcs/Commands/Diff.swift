import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs diff`.
struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show how the packages of two composes differ, and why.",
        discussion: """
            A package of the same version with another file, for example because of its
            signature, is listed as "other file".

            EXAMPLES
              odcs diff 7 9
              odcs diff 7 9 --json
            """)

    @Argument(help: "The number of the first compose.")
    var from: Int
    @Argument(help: "The number of the second compose.")
    var to: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let difference = try await connection.connect().difference(from: from, to: to)
        try connection.print(difference, or: Self.text(difference))
    }

    private static func text(_ difference: ComposeDifferenceDocument) -> String {
        let pins = difference.pins.map { ["  \($0.input)", "\($0.from ?? "none") to \($0.to ?? "none")"] }
        var parts = pins.isEmpty ? [] : ["inputs:\n\(table(pins))"]
        if difference.isOtherRequest { parts.append("The requests differ.") }
        for tree in difference.trees {
            let kinds = [
                ("added", tree.added), ("removed", tree.removed), ("upgraded", tree.upgraded), ("downgraded", tree.downgraded),
                ("other file", tree.other),
            ]
            let rows = kinds.flatMap { kind, changes in
                changes.map { ["  \(kind)", "\($0.name).\($0.arch)", builds(of: $0), $0.cause] }
            }
            parts.append("\(tree.tree.printable()):\n\(table(rows))")
        }
        return difference.trees.isEmpty ? (parts + ["The packages are the same."]).joined(separator: "\n") : parts.joined(separator: "\n")
    }

    private static func builds(of change: ComposeDifferenceDocument.Change) -> String {
        [change.before, change.after].filter { !$0.isEmpty }.map { $0.joined(separator: " ") }.joined(separator: " to ")
    }

    private static func table(_ rows: [[String]]) -> String { Table(rows: rows.map { $0.map { $0.printable() } }).text() }
}
