import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import ImageModel
import SystemPackage

/// The command `odcs image add`.
struct ImageAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add an image to the service, or give it a new definition.",
        discussion: """
            SOURCE is a Containerfile, a folder with a Containerfile, or the address of a
            git repository, as URL#REFERENCE:FOLDER. A folder is uploaded without the files
            that its .containerignore or .dockerignore names. With --inventory all images of
            an inventory are added, or the one named.

            EXAMPLES
              odcs image add team/base Containerfile
              odcs image add team/web ./web --platform linux/amd64 --platform linux/arm64
              odcs image add team/web https://git.example.org/web.git#main:image
              odcs image add team/web ./web --tag stable --cache ccache=/var/cache/ccache
              odcs image add --inventory inventory/dpdk-ci
            """)

    @Argument(help: ArgumentHelp("The name in a registry. Without a host it is below the registry of the service.", valueName: "name"))
    var name: String?
    @Argument(help: "A Containerfile, a folder, or URL#REFERENCE:FOLDER.", completion: .file())
    var source: String?
    @Option(help: ArgumentHelp("The folder of an inventory.", valueName: "folder"), completion: .directory)
    var inventory: String?
    @Option(
        name: .customLong("platform"), help: ArgumentHelp("Default: this host's. Repeatable.", valueName: "platform"),
        transform: { try PlatformArgument.platform($0) })
    var platforms: [Platform] = []
    @Option(name: .customLong("arg"), help: ArgumentHelp("The value of an ARG instruction. Repeatable.", valueName: "name=value"))
    var arguments: [NamedValue] = []
    @Option(name: .customLong("requires"), help: ArgumentHelp("A label that a worker must have. Repeatable.", valueName: "name=value"))
    var requirements: [NamedValue] = []
    @Option(help: ArgumentHelp("The network of RUN instructions: none or host. Default: none.", valueName: "network"))
    var network: String?
    @Flag(help: "A rebuild upgrades packages that come with the base image.")
    var update = false
    @Flag(help: "A build leaves the tag latest where it is.")
    var noLatest = false
    @Flag(help: "A build leaves out a platform that fails, and then leaves latest where it is.")
    var leaveOut = false
    @Option(
        name: .customLong("required-platform"),
        help: ArgumentHelp("With --leave-out: a platform without which a build fails. Repeatable.", valueName: "platform"),
        transform: { try PlatformArgument.platform($0) })
    var requiredPlatforms: [Platform] = []
    @OptionGroup(title: "SETTINGS") var settings: ImageSettingsOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        guard (inventory == nil) == (source != nil) else {
            throw ValidationError("give a name with a SOURCE, or --inventory with at most the name of one of its images")
        }
        let isPlain =
            platforms.isEmpty && arguments.isEmpty && requirements.isEmpty && network == nil && !update && !noLatest && !leaveOut
            && settings.isEmpty
        guard inventory == nil || isPlain else {
            throw ValidationError("--inventory has these settings itself, so other options exclude it")
        }
        if !requiredPlatforms.isEmpty, !leaveOut { throw ValidationError("--required-platform goes with --leave-out") }
        if let network, BuildNetwork(rawValue: network) == nil {
            throw ValidationError("--network is none or host, not \(network.quoted)")
        }
    }

    func run() async throws {
        let (client, console) = (try connection.connect(), Console.current)
        if let inventory {
            let addition = try InventoryAddition(inventory, only: name, in: console)
            let images = try await addition.add(to: client)
            for warning in addition.warnings { try console.err.line("odcs: \(warning)".printable()) }
            return try connection.print(images, or: ImageListing.table(images).text())
        }
        guard let name, let source else { return }
        var definition = DefinitionDocument(
            source: try await Self.source(source, in: console, client),
            platforms: (platforms.isEmpty ? [Platform.host] : platforms).map(\.description))
        definition.arguments = NamedValue.dictionary(arguments)
        definition.requires = NamedValue.dictionary(requirements)
        definition.network = network
        definition.update = update ? true : nil
        definition.movesLatest = noLatest ? false : nil
        if leaveOut {
            definition.missing = "leave-out"
            definition.requiredPlatforms = requiredPlatforms.map(\.description)
        }
        try settings.apply(to: &definition, in: console)
        let image = try await client.addImage(ImageSubmission(repository: name, definition: definition))
        let text = "\(image.repository) is image \(image.id).\nNext: odcs image build \(image.repository)"
        try connection.print(image, or: text.printable(keepingLines: true))
    }

    private static func source(_ source: String, in console: Console, _ client: ComposeClient) async throws -> DefinitionDocument.Source {
        if let git = GitAddress(source) { return DefinitionDocument.Source(git: git.source) }
        let path = console.path(source)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder) else {
            throw CommandFailure(
                .error, "there is no file or folder \(source.quoted); a git repository is written as URL#REFERENCE:FOLDER")
        }
        guard isFolder.boolValue else { return DefinitionDocument.Source(containerfile: try text(of: path, source)) }
        let names = ["Containerfile", "Dockerfile"]
        guard names.contains(where: { FileManager.default.fileExists(atPath: path.appending($0).string) }) else {
            throw CommandFailure(.error, "the folder \(source.quoted) has neither a Containerfile nor a Dockerfile")
        }
        return DefinitionDocument.Source(archive: try await upload(path, client))
    }

    private static func text(of path: FilePath, _ source: String) throws -> String {
        do {
            return try String(contentsOfFile: path.string, encoding: .utf8)
        } catch {
            throw CommandFailure(.error, "the Containerfile \(source.quoted) cannot be read: \(SettingsFile.reason(error))")
        }
    }

    /// Uploads a folder as a build context.
    static func upload(_ folder: FilePath, containerfile: String? = nil, _ client: ComposeClient) async throws -> ImageDigest {
        let scratch = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-context-\(UUID()).zst")
        // At worst a file remains in the temporary directory.
        defer { try? FileManager.default.removeItem(atPath: scratch.string) }
        let archive = try ContextArchive(of: folder, containerfile: containerfile, in: scratch)
        return try await client.upload(ContextUpload(file: archive.file, bytes: archive.bytes)).digest
    }
}

/// The address of a folder in a git repository, in docker's form `URL#REFERENCE:FOLDER`.
struct GitAddress: Equatable {
    let source: DefinitionDocument.Source.Git

    /// Returns nil if the text is not the address of a repository.
    init?(_ text: String) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let url = String(parts[0])
        guard ["https://", "http://", "git://", "ssh://", "file://"].contains(where: url.hasPrefix) else { return nil }
        let rest = (parts.count == 2 ? parts[1] : "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let reference = rest.first.flatMap { $0.isEmpty ? nil : String($0) } ?? "HEAD"
        source = DefinitionDocument.Source.Git(url: url, reference: reference, folder: rest.count == 2 ? String(rest[1]) : "")
    }
}
