import ArgumentParser
import ForeignText
import Foundation
import ImageModel
import Inventory
import SystemPackage

/// The command `odcs image push`.
struct ImagePush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Push the images of a generated tree, and write their manifest lists.",
        discussion: """
            The Makefile of the tree pushes the images. Then each image is read back from
            the registry and checked, before the first manifest list is written. The tag
            latest moves last. The variables of 'odcs image parameters' count as in make.
            Lists are written by this command itself, so docker can be the program too.

            EXAMPLES
              odcs image push D
              odcs image push D --lists-only     after 'make -C D push_images' elsewhere
              odcs image push D --insecure       to a registry on this host without TLS
            """)

    @Argument(help: "The folder that 'odcs image generate' wrote, with images that were built.", completion: .directory)
    var tree: String
    @Flag(help: "Push the images only.")
    var imagesOnly = false
    @Flag(help: "Write the manifest lists only, of images that were pushed.")
    var listsOnly = false
    @Option(name: [.long, .short], help: ArgumentHelp("How many images to push at a time.", valueName: "number"))
    var jobs = 2
    @Flag(help: "Speak to a registry on this host without TLS.")
    var insecure = false
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func validate() throws {
        if imagesOnly, listsOnly { throw ValidationError("--images-only and --lists-only exclude each other") }
        if jobs < 1 { throw ValidationError("--jobs is at least 1") }
    }

    func run() async throws {
        let console = Console.current
        let tree = try TreeMakefile(tree, in: console)
        let report = try await console.unlessInterrupted { try await push(tree, console) }
        guard let report else { throw CommandFailure(.interrupted, "interrupted; some images may be pushed, and the same command goes on") }
        try connection.print(report, or: report.text)
    }

    private func push(_ tree: TreeMakefile, _ console: Console) async throws -> PushReport {
        let references = try await tree.references()
        try check(references)
        let access = try PushAccess(references, isLoopbackInsecure: insecure, in: console)
        defer { access.end() }
        if !listsOnly { try await tree.make("push_images", jobs: jobs, pushOptions: access.pushOptions) }
        let hasLists = !imagesOnly && !references.isBuilderMode
        if !hasLists, !imagesOnly {
            try console.err.line("odcs: this is builder mode (\(BuiltInVariable.builderMode.rawValue)=Y), which makes no manifest lists")
        }
        return try await access.settings.withClient(in: access.console) { registry in
            // All images are there before the first tag of a list moves.
            var pushed: [PushedImage] = []
            for image in references.images { pushed.append(try await PushedImage(image, in: registry)) }
            if hasLists { for image in pushed { try await image.writeList(to: registry) } }
            return PushReport(pushed, hasLists: hasLists)
        }
    }

    private func check(_ references: TreeReferences) throws {
        guard !references.isLocal else {
            throw CommandFailure(
                .error,
                "the registry of the tree is localhost, so its images stay in local storage; name a registry with "
                    + "'odcs image generate --registry' or \(BuiltInVariable.registry.rawValue), and build again")
        }
        guard !listsOnly || !references.isBuilderMode else {
            throw CommandFailure(.error, "this is builder mode (\(BuiltInVariable.builderMode.rawValue)=Y), which makes no manifest lists")
        }
        guard !references.images.isEmpty else { throw CommandFailure(.error, "the tree has no images for this host") }
    }
}
