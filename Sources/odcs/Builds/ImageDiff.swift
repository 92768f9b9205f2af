import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image diff`.
struct ImageDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show how the packages of an image changed.",
        discussion: """
            FROM and TO are numbers of builds, or digests of manifests. Without TO, the
            image as it is now is compared. The exit status is 1 if the packages of a
            platform cannot be compared.

            EXAMPLES
              odcs image diff team/web 7
              odcs image diff team/web 7 9 --platform linux/arm64
            """)

    @Argument(help: "The image's number or name.")
    var image: ImageName
    @Argument(help: "A build or a digest.")
    var from: String
    @Argument(help: "A build or a digest.")
    var to: String?
    @Option(help: ArgumentHelp("Only this platform.", valueName: "platform"), transform: { try PlatformArgument.platform($0) })
    var platform: Platform?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let image = try await image.image(at: client)
        let query = DifferenceQuery(from: from, to: to, platform: platform?.description)
        let difference = try await client.difference(of: image.id, query)
        try connection.print(difference, or: difference.manifests.map(Self.text).joined(separator: "\n"))
        guard difference.manifests.allSatisfy({ $0.problem == nil }) else { throw CommandFailure(.composeFailed) }
    }

    private static func text(_ manifest: DifferenceDocument.Manifest) -> String {
        let head = "\(manifest.platform):"
        if let problem = manifest.problem { return "\(head) \(problem.printable())" }
        let rows =
            manifest.added.map { ["  added", $0.description, ""] } + manifest.removed.map { ["  removed", $0.description, ""] }
            + manifest.changed.map { change in
                let builds = "\(change.before.joined(separator: " ")) to \(change.after.joined(separator: " "))"
                return [change.isDowngrade ? "  downgraded" : "  changed", "\(change.name).\(change.arch)", builds]
            }
        return rows.isEmpty ? "\(head) no change" : "\(head)\n\(Table(rows: rows).text())"
    }
}
