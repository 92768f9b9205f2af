import ArgumentParser
import ComposeClient
import ImageModel

/// The command `odcs image list`.
struct ImageListing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the images that the service builds, in order of their names.",
        discussion: """
            CONTENTS says whether the service knows the packages of each platform: read,
            none (no rpmdb), unknown (it cannot be read), or unread.

            EXAMPLES
              odcs image list
              odcs image list 'registry.example.org/team/*' --owner me
              odcs image list --unknown
            """)

    @Argument(help: ArgumentHelp("Only images with this name. * stands for any characters.", valueName: "name"))
    var name: String?
    @Option(help: ArgumentHelp("Only those of this owner.", valueName: "name"))
    var owner: String?
    @Flag(help: "Only those whose packages are not known on a platform.")
    var unknown = false
    @OptionGroup var paging: PageOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        var query = ImageListQuery()
        query.repository = name
        query.owner = owner
        query.hasUnknownContents = unknown
        query.page = paging.page
        query.perPage = paging.limit
        let list = try await connection.connect().images(query)
        try paging.print(list, list.meta, isEmpty: list.items.isEmpty, of: ("image", "images"), connection) { Self.table(list.items) }
    }

    static func table(_ images: [ImageDocument]) -> Table {
        let head = ["ID", "IMAGE", "PLATFORMS", "CONTENTS", "BUILD", "OWNER"]
        let rows = images.map { image in
            let contents = Set(image.manifests.map(\.contents)).sorted()
            return [
                String(image.id), image.repository, image.definition.platforms.joined(separator: " "),
                contents.isEmpty ? "-" : contents.joined(separator: " "),
                image.latestBuild.map { "\($0.id) \($0.stateName)" } ?? "-", image.owner,
            ]
        }
        return Table(rows: [head] + rows, shrinkable: [1, 2, 5])
    }
}
