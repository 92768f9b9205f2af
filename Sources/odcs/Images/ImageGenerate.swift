import ArgumentParser
import ImageModel
import Inventory
import SystemPackage

/// The command `odcs image generate`.
struct ImageGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write Containerfiles and a Makefile for the images of an inventory.",
        discussion: """
            The Makefile builds and pushes the images with podman, in parallel and without
            a server. Its targets are build, push, push_images and push_manifests. Images
            that cannot be built on this host are left out and listed.

            The variables of 'odcs image parameters' count here, and again in make. An
            option counts more than its variable.

            EXAMPLES
              odcs image generate --inventory inventory/dpdk-ci --into D
              make -C D -j2 build push DPDK_CI_CONTAINERS_REGISTRY_HOSTNAME=localhost:5000
            """)

    @Option(help: ArgumentHelp("The folder of the inventory.", valueName: "folder"), completion: .directory)
    var inventory = "."
    @Option(
        help: ArgumentHelp(
            "The folder to write. Default: $DPDK_CI_CONTAINERS_CONTEXT_DIRECTORY, or container_context.", valueName: "folder"),
        completion: .directory)
    var into: String?
    @Option(help: ArgumentHelp("The registry to push to. With localhost, images stay in local storage.", valueName: "host"))
    var registry: String?
    @Option(help: ArgumentHelp("The tag that stands for the date.", valueName: "tag"))
    var dateTag: String?
    @Option(help: ArgumentHelp("A folder that is copied to /scripts in each image.", valueName: "folder"), completion: .directory)
    var extraScripts: String?
    @Flag(help: "Build for the platform of this host only.")
    var onlyHostArch = false
    @Flag(help: "Build for the platform of this host only, and make no manifest lists.")
    var builderMode = false
    @Flag(help: "Do not set the tag latest.")
    var noLatest = false
    @Flag(help: "Fail if an image cannot be built on this host.")
    var failOnUnbuildable = false
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func run() async throws {
        let console = Console.current
        let folder = try InventoryFolder.opened(self.inventory, in: console)
        let inventory = try CommandFailure.explaining { () throws(InventoryProblem) in try folder.inventory() }
        let settings = try GenerationSettings.settings(inventory, options, in: console)
        let generation = ImageGeneration(inventory, in: folder, settings: settings)
        guard generation.problems.isEmpty else { throw CommandFailure.problems(generation.problems) }
        let unbuildable = generation.absences.filter(\.isWanted)
        if settings.failsOnUnbuildable, !unbuildable.isEmpty {
            throw CommandFailure(.error, unbuildable.map { "\($0.image) cannot be built: \($0.reason)" }.joined(separator: "\nodcs: "))
        }
        let target = target(in: console)
        try CommandFailure.explaining { () throws(InventoryProblem) in try GeneratedTree(generation, in: folder).write(to: target) }
        try connection.print(Report(generation, target), or: Self.text(generation, target))
    }

    private var options: GenerationSettings.Options {
        var options = GenerationSettings.Options()
        options.failsOnUnbuildable = failOnUnbuildable
        options.onlyHostPlatform = onlyHostArch
        options.isBuilderMode = builderMode
        options.hasNoLatestTag = noLatest
        options.registry = registry
        options.extraScripts = extraScripts
        options.dateTag = dateTag
        return options
    }

    private func target(in console: Console) -> FilePath {
        let variable = BuiltInVariable.contextDirectory
        let given = console.environment[variable.rawValue].flatMap { $0.isEmpty ? nil : $0 }
        let name = FilePath(into ?? given ?? variable.defaultText)
        return (name.isAbsolute ? name : FilePath(console.directory).appending(name.components)).lexicallyNormalized()
    }

    private static func text(_ generation: ImageGeneration, _ target: FilePath) -> String {
        let count = generation.images.count
        let lines = ["\(count == 1 ? "1 Containerfile is" : "\(count) Containerfiles are") in \(target.string)."]
        let left = generation.absences.map { "Left out: \($0.image), \($0.reason)." }
        return (lines + left + ["Next: make -C \(target.string) -j2 build"]).joined(separator: "\n")
    }

    private struct Report: Encodable {
        let folder: String
        let images: [Entry]
        let leftOut: [ImageAbsence]

        struct Entry: Encodable {
            let image: String
            let platform: String
            let containerfile: String
        }

        private enum CodingKeys: String, CodingKey {
            case folder, images
            case leftOut = "left_out"
        }

        init(_ generation: ImageGeneration, _ target: FilePath) {
            folder = target.string
            images = generation.images.map {
                Entry(image: $0.image.name, platform: $0.platform.description, containerfile: "\($0.folder)/Containerfile")
            }
            leftOut = generation.absences
        }
    }
}
