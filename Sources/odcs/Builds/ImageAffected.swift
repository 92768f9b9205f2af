import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image affected`.
struct ImageAffected: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "affected",
        abstract: "List the images that have a package, or an older build of it.",
        discussion: """
            Images whose packages are not known are listed on standard error, because they
            may have the package.

            EXAMPLES
              odcs image affected openssl-libs --older-than 1:3.0.7-28.el9
              odcs image affected openssl-libs --arch x86_64 --json
            """)

    @Argument(help: "The name of the package.")
    var package: String
    @Option(help: ArgumentHelp("Only builds older than this one. The epoch counts.", valueName: "[epoch:]version-release"))
    var olderThan: String?
    @Option(help: ArgumentHelp("Only packages for this architecture.", valueName: "arch"))
    var arch: String?
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        var query = AffectedQuery(package: package)
        query.olderThan = olderThan
        query.arch = arch
        query.page = paging.page
        query.perPage = paging.limit
        let list = try await connection.connect().affected(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("image", "images"), connection) { Self.table(list.items) }
        if !connection.json { try Self.printUnknown(list.unknown) }
    }

    private static func table(_ images: [AffectedDocument]) -> Table {
        let rows = images.flatMap { image in
            image.manifests.map { manifest in
                [
                    String(image.image), image.repository, manifest.platform,
                    manifest.packages.map(\.description).joined(separator: " "), image.owner,
                ]
            }
        }
        return Table(rows: [["ID", "IMAGE", "PLATFORM", "HAS", "OWNER"]] + rows, shrinkable: [1, 3, 4])
    }

    private static func printUnknown(_ unknown: UnknownImages) throws {
        guard unknown.total > 0 else { return }
        let err = Console.current.err
        try err.line("The packages of \(unknown.total == 1 ? "1 image" : "\(unknown.total) images") are not known:")
        for image in unknown.items {
            try err.line("  \(image.repository) \(image.platform): \(image.problem ?? "not read yet")".printable())
        }
        if unknown.total > unknown.items.count { try err.line("  and others; 'odcs image list --unknown' shows all") }
    }
}
