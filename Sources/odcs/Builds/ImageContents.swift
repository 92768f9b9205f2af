import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image contents`.
struct ImageContents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contents",
        abstract: "List the packages of an image, as its rpmdb has them.",
        discussion: """
            The packages go to standard output, one on each line as 'rpm -qa' writes them,
            with an epoch unless it is 0. The platform and the digest go to standard error.
            The exit status is 1 if the packages of a platform are not known.

            EXAMPLES
              odcs image contents team/web --platform linux/amd64
              odcs image contents team/web@sha256:…
              odcs image contents team/web --build 7
            """)

    @Argument(help: "The image's number or name. A digest names one of its manifests.")
    var image: ImageName
    @Option(help: ArgumentHelp("Only this platform.", valueName: "platform"), transform: { try PlatformArgument.platform($0) })
    var platform: Platform?
    @Option(help: ArgumentHelp("The packages of what this build made, instead of those in use.", valueName: "number"))
    var build: Int?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if build != nil, image.digest != nil { throw ValidationError("--build and a digest exclude each other") }
    }

    func run() async throws {
        let client = try connection.connect()
        let image = try await image.image(at: client)
        let place = build.map(String.init) ?? self.image.digest?.description
        let contents = try await client.contents(of: image.id, ContentsQuery(platform: platform?.description, place: place))
        let console = Console.current
        if connection.json {
            try console.out.line(JSONText(contents).text)
        } else {
            for manifest in contents.manifests { try Self.print(manifest, to: console) }
            if contents.manifests.isEmpty { try console.err.line("\(contents.repository.printable()) was not built or looked at yet.") }
        }
        let isKnown = contents.manifests.allSatisfy { $0.packages != nil } && !contents.manifests.isEmpty
        guard isKnown else { throw CommandFailure(.composeFailed) }
    }

    private static func print(_ manifest: ContentsDocument.Manifest, to console: Console) throws {
        let state =
            switch manifest.state {
            case "none": "no rpmdb"
            case "unread": "not read yet"
            case "unknown": "unknown: \(manifest.problem ?? "no reason was given")"
            default: manifest.packages?.count == 1 ? "1 package" : "\(manifest.packages?.count ?? 0) packages"
            }
        try console.err.line("\(manifest.platform) \(manifest.digest): \(state)".printable())
        for package in manifest.packages ?? [] { try console.out.line(package.description.printable()) }
    }
}

/// A platform on the command line.
enum PlatformArgument {
    static func platform(_ text: String) throws -> Platform {
        do throws(ImageProblem) { return try Platform(text) } catch { throw ValidationError(error.description) }
    }
}
