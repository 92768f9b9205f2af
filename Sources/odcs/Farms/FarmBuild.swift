import ArgumentParser
import ComposeClient
import Containerfiles
import ForeignText
import Foundation
import ImageModel
import SystemPackage

/// The command `odcs farm build`.
struct FarmBuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build an image for all platforms on the nodes of a farm, and write the manifest list.",
        discussion: """
            Without --platforms, all platforms are built that the nodes run themselves.
            Each node pushes its image. The service then writes the manifest list under
            the tags. With --quiet, only the digest of the list is printed. If podman is
            on this host, it gets the list too, so that 'podman manifest push --all NAME'
            can push it elsewhere.

            EXAMPLES
              odcs farm build -t registry.example.org/team/app:1 .
              odcs farm build -t registry.example.org/team/app:1 --farm f --platforms linux/amd64,linux/arm64 .
              odcs farm --node n1,n2 build -t registry.example.org/team/app:1 -f Containerfile.ci .
            """)

    @Argument(help: "The folder that the Containerfile can copy from.", completion: .directory)
    var context = "."
    @OptionGroup(title: "IMAGE") var options: FarmBuildOptions
    @OptionGroup(title: "NODES") var place: FarmPlaceOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "IGNORED, because the service decides") var moot: MootBuildOptions
    @OptionGroup(title: "SERVICE") var service: ConnectionOptions

    func run() async throws {
        let (client, console) = (try service.connect(), Console.current)
        let names = try options.names
        for line in moot.notes { try console.err.line("odcs: \(line)") }
        let placement = try await place.placement(client)
        let platforms = try await platforms(client, placement)
        var definition = DefinitionDocument(
            source: .init(archive: try await upload(client, console)), platforms: platforms)
        definition.arguments = NamedValue.dictionary(options.arguments)
        definition.network = options.network
        definition.movesLatest = names.contains { $0.tag == ImageTag.latest.text }
        definition.tags = names.map(\.tag).filter { $0 != ImageTag.latest.text }.nilIfEmpty
        let image = try await client.addImage(ImageSubmission(repository: names[0].repository, definition: definition))
        var submission = BuildSubmission()
        // Another build of the repository may be asked for at the same time.
        submission.definition = definition
        submission.farm = placement?.farm
        submission.nodes = placement?.nodes
        let build = try await client.startBuild(of: image.id, submission)
        guard !patience.noWait else {
            return try service.print(build, or: "build \(build.id); 'odcs image wait \(build.id)' waits for it")
        }
        let done = try await BuildWaiting(
            ids: [build.id], client: client, console: console, showsLog: !patience.quiet && !service.json, isQuiet: patience.quiet,
            json: service.json
        ).untilFinal()[0]
        if patience.quiet, !service.json {
            try console.out.line(done.digest?.description ?? "")
        } else {
            try service.print(done, or: Self.text(done, names.map { "\($0.repository):\($0.tag)" }))
        }
        guard done.state == BuildState.done.rawValue, let digest = done.digest else { throw CommandFailure(.composeFailed) }
        if let file = options.iidfile { try Self.write(digest.description, to: console.path(file), "--iidfile") }
        if let destination = options.to {
            try await destination.save(done, names, in: console)
        } else {
            try await ImageDestination.list(done, names, in: console)
        }
        if options.prune {
            let nodes = Set(done.steps.compactMap(\.node)).subtracting([FarmNode.localName])
            for node in nodes { _ = try await client.pruneNode(node, PruneRequest()) }
        }
    }

    /// Returns the platforms that are named, or those that the nodes run themselves.
    private func platforms(_ client: ComposeClient, _ placement: Placement?) async throws -> [String] {
        let named = options.platforms.flatMap(FarmPlaceOptions.names)
        guard named.isEmpty else { return named }
        let native = try await client.schedule(on: placement).items.map(\.platform)
        guard !native.isEmpty else {
            throw CommandFailure(.error, "no node is ready, so there is no platform to build; 'odcs farm status' shows why")
        }
        // A person who expects the platform of such a node would look for it in the list.
        for node in try await FarmPlaceOptions.nodes(placement, client) where node.enabled && node.state != "ready" {
            guard node.name != FarmNode.localName else { continue }
            let text = "odcs: \(node.name) is not ready, so only \(native.joined(separator: ", ")) is built: "
            try Console.current.err.line((text + (node.problem ?? "no worker has looked at it yet")).printable())
        }
        return native
    }

    /// Uploads the context with the Containerfile.
    private func upload(_ client: ComposeClient, _ console: Console) async throws -> ImageDigest {
        let folder = console.path(context)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.string, isDirectory: &isFolder), isFolder.boolValue else {
            throw CommandFailure(.error, "there is no folder \(context.quoted) to build from")
        }
        let places = options.file.map { [console.path($0)] } ?? ["Containerfile", "Dockerfile"].map { folder.appending($0) }
        guard let path = places.first(where: { FileManager.default.fileExists(atPath: $0.string) }) else {
            let missing = options.file.map { "the file \($0.quoted) does not exist" }
            throw CommandFailure(.error, missing ?? "the folder \(context.quoted) has neither a Containerfile nor a Dockerfile")
        }
        var text: String
        do {
            text = try String(contentsOfFile: path.string, encoding: .utf8)
        } catch {
            throw CommandFailure(.error, "the Containerfile \(path.string.quoted) cannot be read: \(SettingsFile.reason(error))")
        }
        if let target = options.target { text = try Self.upTo(target, text) }
        for label in options.labels { text += "\nLABEL \(Self.quoted(label.name))=\(Self.quoted(label.value))\n" }
        return try await ImageAdd.upload(folder, containerfile: text, client)
    }

    /// Returns the stages of a Containerfile up to the one with a name or number. That one is the image
    /// then.
    private static func upTo(_ target: String, _ text: String) throws -> String {
        let file: Containerfile
        do throws(ContainerfileProblem) {
            file = try Containerfile(text)
        } catch {
            throw CommandFailure(.error, "the Containerfile cannot be used: \(error)")
        }
        guard let index = file.stages.lastIndex(where: { $0.name == target.lowercased() }) ?? Int(target),
            file.stages.indices.contains(index)
        else {
            let names = file.stages.compactMap(\.name).joined(separator: ", ")
            throw CommandFailure(
                .error, "the Containerfile has no stage \(target.quoted)\(names.isEmpty ? "" : "; there is \(names)")")
        }
        guard index + 1 < file.stages.count else { return text }
        return file.lines.prefix(file.stages[index + 1].from.line - 1).joined(separator: "\n") + "\n"
    }

    /// Returns a text as a word of an instruction.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "\\$").replacing("\n", with: " ")
            + "\""
    }

    /// Returns the outcome. It has the names that the person has asked for beside the tag of the date.
    private static func text(_ build: BuildDocument, _ names: [String]) -> String {
        let steps = build.steps.filter { $0.digest != nil }.compactMap { step in
            step.platform.map { "\($0) on \(step.node ?? "no node")" }
        }
        let tagged =
            build.state == BuildState.done.rawValue ? "\nTagged: \(names.joined(separator: ", "))".printable(keepingLines: true) : ""
        return BuildOutcome(build).text + tagged + (steps.isEmpty ? "" : "\nBuilt: \(steps.joined(separator: ", "))")
    }

    private static func write(_ text: String, to path: FilePath, _ option: String) throws {
        do {
            try text.write(toFile: path.string, atomically: true, encoding: .utf8)
        } catch {
            throw CommandFailure(.error, "the file of \(option) cannot be written: \(SettingsFile.reason(error))")
        }
    }
}

/// The options for the image.
struct FarmBuildOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("The name of the image, with its tag. Repeatable.", valueName: "name"))
    var tags: [String] = []
    @Option(
        name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The Containerfile, if it is elsewhere.", valueName: "file"),
        completion: .file())
    var file: String?
    @Option(
        name: [.customLong("platforms"), .customLong("platform")],
        help: ArgumentHelp("The platforms, with commas. Repeatable.", valueName: "platforms"))
    var platforms: [String] = []
    @Option(name: .customLong("build-arg"), help: ArgumentHelp("The value of an ARG instruction. Repeatable.", valueName: "name=value"))
    var arguments: [NamedValue] = []
    @Option(name: .customLong("label"), help: ArgumentHelp("A label of the image. Repeatable.", valueName: "name=value"))
    var labels: [NamedValue] = []
    @Option(help: ArgumentHelp("none or host, if the service allows it.", valueName: "network"))
    var network: String?
    @Option(help: ArgumentHelp("The stage that becomes the image. Default: the last one.", valueName: "stage"))
    var target: String?
    @Option(
        name: [.customLong("iidfile"), .customLong("digest-file")],
        help: ArgumentHelp("Write the digest of the manifest list to a file.", valueName: "file"), completion: .file())
    var iidfile: String?
    @Option(
        help: ArgumentHelp(
            "Also save the list and its images, as oci:FOLDER, dir:FOLDER or containers-storage: for podman on this host. none: no list for podman.",
            valueName: "place"))
    var to: ImageDestination?
    @Flag(help: "Remove images of old steps from the nodes afterwards.")
    var prune = false

    /// The repository, as it was written, and the tag of each name.
    var names: [(repository: String, tag: String)] {
        get throws {
            var names: [(repository: String, tag: String)] = []
            for text in tags {
                do throws(ImageProblem) { _ = try ImageReference(text) } catch { throw CommandFailure(.usage, error.description) }
                let path = text.lastIndex(of: "/") ?? text.startIndex
                let colon = text[path...].firstIndex(of: ":")
                names.append(
                    (
                        String(text[..<(colon ?? text.endIndex)]),
                        colon.map { String(text[text.index(after: $0)...]) } ?? ImageTag.latest.text
                    ))
            }
            guard let first = names.first else {
                throw CommandFailure(.usage, "name the image with -t, as in -t registry.example.org/team/app:1")
            }
            guard names.allSatisfy({ $0.repository == first.repository }) else {
                throw CommandFailure(.usage, "all names of -t must be of one repository, and differ in their tags")
            }
            return names
        }
    }
}

/// The options of the other build tools that make no difference here. They are accepted, so that
/// scripts go on to work.
struct MootBuildOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Containers of a build are always removed.")
    var rm = true
    @Flag(name: .customLong("force-rm"), help: "Containers of a build are always removed.")
    var forceRm = false
    @Flag(name: .customLong("rm-images"), help: "Images of steps are always removed from the nodes.")
    var rmImages = false
    @Flag(help: "Base images are always looked up anew.")
    var pull = false
    @Flag(name: .customLong("no-cache"), help: "There is never a cache of layers.")
    var noCache = false
    @Option(help: "The nodes isolate builds.")
    var isolation: String?
    @Option(name: [.customShort("m"), .long], help: "images.memory_megabytes limits the memory.")
    var memory: String?
    @Option(name: .customLong("memory-swap"), help: .hidden) var memorySwap: String?
    @Option(name: .customLong("cpu-period"), help: .hidden) var cpuPeriod: String?
    @Option(name: .customLong("cpu-quota"), help: .hidden) var cpuQuota: String?
    @Option(name: [.customShort("c"), .customLong("cpu-shares")], help: .hidden) var cpuShares: String?
    @Option(name: .customLong("cpuset-cpus"), help: .hidden) var cpusetCPUs: String?
    @Option(name: .customLong("cpuset-mems"), help: .hidden) var cpusetMems: String?
    @Option(name: .customLong("shm-size"), help: .hidden) var shmSize: String?
    @Option(help: .hidden) var ulimit: [String] = []
    @Option(name: .customLong("cache-from"), help: .hidden) var cacheFrom: [String] = []
    @Option(name: .customLong("cache-to"), help: .hidden) var cacheTo: [String] = []
    @Option(name: .customLong("cgroup-parent"), help: .hidden) var cgroupParent: String?
    @Option(help: .hidden) var authfile: String?
    @Option(name: .customLong("tls-verify"), help: .hidden) var tlsVerify: String?
    @Option(help: .hidden) var format: String?
    @Flag(help: "Images of steps are always removed from the nodes.")
    var cleanup = false
    @Option(name: .customLong("add-host"), help: .hidden) var addHost: [String] = []

    func validate() throws {
        // These would make another image.
        if !addHost.isEmpty { throw ValidationError("--add-host is not supported; builds see no other hosts") }
        if let format, format != "oci" { throw ValidationError("--format \(format.quoted) is not supported; images have the format oci") }
    }

    /// A sentence for each option that has no effect although a person may expect one.
    var notes: [String] {
        let limits: [(String, Any?)] = [
            ("--memory", memory), ("--memory-swap", memorySwap), ("--cpu-period", cpuPeriod), ("--cpu-quota", cpuQuota),
            ("--cpu-shares", cpuShares), ("--cpuset-cpus", cpusetCPUs), ("--cpuset-mems", cpusetMems), ("--shm-size", shmSize),
            ("--ulimit", ulimit.first), ("--isolation", isolation), ("--cache-from", cacheFrom.first), ("--cache-to", cacheTo.first),
            ("--cgroup-parent", cgroupParent), ("--authfile", authfile), ("--tls-verify", tlsVerify),
        ]
        let given = limits.filter { $0.1 != nil }.map(\.0)
        return given.isEmpty ? [] : ["the service decides instead of \(given.joined(separator: ", "))"]
    }
}
