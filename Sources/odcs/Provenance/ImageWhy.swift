import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image why`.
struct ImageWhy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say how a package came into an image: layer, base, build, compose and advisory.",
        discussion: """
            The layers and packages of all images are compared, so the answer names the image
            below that brought the package. If several layers came with one build, they are all
            listed.

            The exit status is 1 if no platform is known to have the package.

            EXAMPLES
              odcs image why team/web --package openssl-libs
              odcs image why team/web@sha256:… --package openssl-libs
            """)

    @Argument(help: "The image's number or name. A digest names one of its manifests.")
    var image: ImageName
    @Option(help: ArgumentHelp("The package.", valueName: "name"))
    var package: String
    @Option(help: ArgumentHelp("Only this platform.", valueName: "platform"), transform: { try PlatformArgument.platform($0) })
    var platform: Platform?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let image = try await image.image(at: client)
        let why = try await client.why(
            of: image.id, WhyQuery(package: package, platform: platform?.description, place: self.image.digest?.description))
        try connection.print(why, or: Self.text(why))
        guard why.manifests.contains(where: { !$0.origins.isEmpty }) else { throw CommandFailure(.composeFailed) }
    }

    private static func text(_ why: WhyDocument) -> String {
        why.manifests.map { manifest in
            let place = "\(why.repository) \(manifest.platform) \(manifest.digest)".printable()
            guard !manifest.origins.isEmpty else {
                let reason = manifest.state == "read" || manifest.state == "none" ? "does not have it" : "has unknown packages"
                return "\(place) \(reason)"
            }
            return ([place] + manifest.origins.map(text)).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func text(_ origin: WhyDocument.Origin) -> String {
        let base = origin.baseDigest.map { "\(origin.base ?? "an image that is not known any more")@\($0)" }
        let advisories = Set(origin.causes.flatMap { [$0.advisory].compactMap(\.self) + $0.cves }).sorted()
        let rows: [(String, String)] =
            [("  package", origin.package.description)]
            + origin.layers.map { (origin.layers.count == 1 ? "  layer" : "  one of the layers", $0.description) }
            + [
                ("  base", base ?? "none, the image installs it"),
                ("  build", origin.build.map(String.init) ?? "none of this service"),
                ("  compose", origin.composes.isEmpty ? "none" : origin.composes.map(String.init).joined(separator: ", ")),
                ("  advisory", advisories.isEmpty ? "none" : advisories.joined(separator: ", ")),
            ]
        return Table(rows: rows.map { [$0.0, $0.1.printable()] }).text()
    }
}
