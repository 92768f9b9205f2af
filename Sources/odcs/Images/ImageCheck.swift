import ArgumentParser
import ImageModel
import Inventory

/// The command `odcs image check`.
struct ImageCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check an inventory, its templates and its Containerfiles.",
        discussion: """
            All images are checked, also those that cannot be built on this host. Each
            mistake is printed with its file and line, and the exit status is 2 then.

            EXAMPLES
              odcs image check inventory/dpdk-ci
              odcs image check --schema > inventory.schema.json
            """)

    @Argument(help: "The folder of the inventory, or its inventory.yaml.", completion: .directory)
    var inventory: String?
    @Flag(help: "Print the JSON schema of inventory.yaml.")
    var schema = false
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func validate() throws {
        guard schema == (inventory == nil) else { throw ValidationError("name either the folder of an inventory or --schema") }
    }

    func run() async throws {
        let console = Console.current
        guard let name = inventory else { return try console.out.write(InventorySchema.text) }
        let folder = try InventoryFolder.opened(name, in: console)
        let inventory = try CommandFailure.explaining { () throws(InventoryProblem) in try folder.inventory() }
        let settings = try GenerationSettings.settings(inventory, in: console)
        let generation = ImageGeneration(inventory, in: folder, settings: settings, keepsAll: true)
        guard generation.problems.isEmpty else { throw CommandFailure.problems(generation.problems) }
        let rows = inventory.images.map { CheckedImage($0, generation) }
        try connection.print(rows, or: Self.table(rows).text())
    }

    private static func table(_ images: [CheckedImage]) -> Table {
        Table(
            rows: [["IMAGE", "PLATFORMS", "PACKAGES", "FROM", "NOTE"]]
                + images.map {
                    [
                        $0.image, $0.platforms.joined(separator: " "), String($0.packages), $0.from.joined(separator: " "),
                        $0.note.map { "not built here: \($0)" } ?? "",
                    ]
                })
    }

    private struct CheckedImage: Encodable {
        let image: String
        let platforms: [String]
        let packages: Int
        let from: [String]
        let note: String?

        init(_ image: InventoryImage, _ generation: ImageGeneration) {
            self.image = image.name
            platforms = image.platforms.map(\.description)
            packages = image.packages.count
            let named = generation.images.filter { $0.image.name == image.name }.flatMap(\.references)
            from = Set(named + image.parents.values).sorted()
            note = generation.absences.first { $0.image == image.name }?.reason
        }
    }
}
