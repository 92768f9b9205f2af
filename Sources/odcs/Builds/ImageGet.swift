import ArgumentParser
import ComposeClient
import ComposeModel
import ImageModel

/// The command `odcs image get`.
struct ImageGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an image: its definition, its tags, its newest build and how that changed the packages.",
        discussion: """
            EXAMPLES
              odcs image get team/web
              odcs image get 12 --json
            """)

    @Argument(help: "The image's number or name.")
    var image: ImageName
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        let image = try await image.image(at: client)
        var text = Self.table(image).text()
        if !connection.json, let newest = image.latestBuild {
            let verification = try await client.build(newest.id).verification
            if !verification.isEmpty { text += "\n\n\(ImageBuilds.verification(verification))" }
        }
        try connection.print(image, or: text)
    }

    /// Returns the table of an image for people. Rows without a value are left out.
    static func table(_ image: ImageDocument) -> Table {
        let definition = image.definition
        func pairs(_ values: [String: String]?) -> String? {
            values.map { $0.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
        }
        var rows: [(String, String?)] = [
            ("id", String(image.id)), ("image", image.repository), ("owner", image.owner), ("source", source(definition.source)),
            ("platforms", definition.platforms.joined(separator: " ")), ("arguments", pairs(definition.arguments)),
            ("requires", pairs(definition.requires)), ("network", definition.network), ("update", definition.update == true ? "yes" : nil),
            ("required", definition.missing == "leave-out" ? required(definition) : nil),
            ("latest", definition.movesLatest == false ? "not moved" : nil), ("tags", definition.tags?.joined(separator: " ")),
            ("caches", pairs(definition.caches)), ("needs", Self.needs(definition)), ("content", Self.content(definition)),
            ("added", Moment.text(image.timeAdded)),
            ("removed", image.timeRemoved.map(Moment.text)),
            ("build", image.latestBuild.map { "\($0.id) \($0.stateName)" }),
        ]
        rows += image.tags.map { ("tag", "\($0.tag) \($0.digest)\($0.build.map { " build \($0)" } ?? "")") }
        rows += image.manifests.map { manifest in
            (manifest.platform, "\(manifest.digest) contents \(manifest.contents)\(manifest.problem.map { ": \($0)" } ?? "")")
        }
        return Table(
            rows: rows.compactMap { name, value in
                guard let value, !value.isEmpty else { return nil }
                return [name, value]
            })
    }

    /// The platforms without which a build fails, if it leaves out others that fail.
    private static func required(_ definition: DefinitionDocument) -> String {
        let platforms = definition.requiredPlatforms ?? []
        return platforms.isEmpty ? "any platform" : platforms.joined(separator: " ")
    }

    private static func needs(_ definition: DefinitionDocument) -> String? {
        let needs = [(definition.diskMegabytes ?? 0, "disk"), (definition.memoryMegabytes ?? 0, "memory")].filter { $0.0 > 0 }
        return needs.isEmpty ? nil : needs.map { "\($0) MB of \($1)" }.joined(separator: ", ")
    }

    /// For example `compose of tag f26: ed httpd`.
    private static func content(_ definition: DefinitionDocument) -> String? {
        guard let source = definition.content?.source else { return nil }
        let start = "compose of \([source.type, source.source].compactMap(\.self).joined(separator: " "))"
        let names = (source.packages ?? []) + (source.builds ?? [])
        return names.isEmpty ? start : "\(start): \(names.joined(separator: " "))"
    }

    private static func source(_ source: DefinitionDocument.Source) -> String {
        if let git = source.git { return "git \(git.url) \(git.reference)\(git.folder.isEmpty ? "" : " \(git.folder)")" }
        if let archive = source.archive { return "archive \(archive)" }
        return source.containerfile.map { "Containerfile of \($0.split(separator: "\n").count) lines" } ?? "-"
    }
}
