import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image remove`.
struct ImageRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an image from the service.",
        discussion: """
            It is built no more. Its builds stay, and nothing happens in the registry. Its
            owner or an admin may remove it.

            EXAMPLE
              odcs image remove team/web
            """)

    @Argument(help: "The image's number or name.")
    var image: ImageName
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let image = try await image.image(at: client)
        let removed = try await client.removeImage(image.id)
        try connection.print(removed, or: "\(removed.repository) is built no more.".printable())
    }
}
