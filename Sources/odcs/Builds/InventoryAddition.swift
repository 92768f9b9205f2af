import ComposeClient
import ComposeModel
import ForeignText
import ImageModel
import Inventory
import SystemPackage

/// An *inventory addition* gives the images of an inventory to the service, parents before their
/// children.
struct InventoryAddition {
    private let tree: GeneratedTree
    /// The Containerfiles of each image, one for each platform.
    private let images: [[RenderedImage]]
    private let movesLatest: Bool

    /// - Parameter only: The name of the one image to add.
    /// - Throws: ``CommandFailure`` with all problems, before anything is sent.
    init(_ name: String, only: String?, in console: Console) throws {
        let folder = try InventoryFolder.opened(name, in: console)
        let inventory = try CommandFailure.explaining { () throws(InventoryProblem) in try folder.inventory() }
        let settings = try GenerationSettings.settings(inventory, in: console)
        // A requirement is one of the worker, so no image is left out for this host.
        let generation = ImageGeneration(inventory, in: folder, settings: settings, keepsAll: true)
        guard generation.problems.isEmpty else { throw CommandFailure.problems(generation.problems) }
        tree = try CommandFailure.explaining { () throws(InventoryProblem) in try GeneratedTree(generation, in: folder) }
        movesLatest = settings.hasLatestTag
        let unwanted = Set(generation.absences.filter { !$0.isWanted }.map(\.image))
        let chosen = inventory.images.map(\.name).filter { only == $0 || (only == nil && !unwanted.contains($0)) }
        if let only, chosen.isEmpty { throw CommandFailure(.error, "the inventory has no image \(only.quoted)") }
        images = chosen.map { name in generation.images.filter { $0.image.name == name } }.filter { !$0.isEmpty }
        let complaints = images.compactMap(Self.complaint)
        guard complaints.isEmpty else { throw CommandFailure(.error, complaints.joined(separator: "\nodcs: ")) }
    }

    /// Returns the reason why the service cannot build an image, or nil if it can.
    private static func complaint(about image: [RenderedImage]) -> String? {
        let name = image[0].image.name
        if image.contains(where: { $0.plainText != image[0].plainText }) {
            return "\(name) has another Containerfile for each platform, and the service takes one; use ARG TARGETARCH instead"
        }
        if let context = image[0].contexts.sorted().first {
            return "\(name) needs the build context \(context), which the service does not have; put it into the image's own context"
        }
        if !image[0].image.secrets.isEmpty { return "\(name) needs secrets, which the service does not have" }
        return nil
    }

    /// The settings of the inventory that the service does not use, in sentences for a person.
    var warnings: [String] {
        images.flatMap { image in
            let (image, usual) = (image[0].image, ImageTags())
            var warnings: [String] = []
            if image.tags.platform != usual.platform {
                warnings.append("\(image.name): platforms get the tag \(usual.platform), and not \(image.tags.platform)")
            }
            if !image.tags.final.contains("{date}") {
                warnings.append("\(image.name): each manifest list gets the tag of its date too")
            }
            return warnings
        }
    }

    /// Adds the images. Returns them as the service has stored them.
    func add(to client: ComposeClient) async throws -> [ImageDocument] {
        var added: [String: ImageDocument] = [:]
        var waiting = images
        while !waiting.isEmpty {
            let names = Set(waiting.map { $0[0].image.name })
            // The inventory has no circle of parents. If only one image is added, its parents are known already.
            let index = waiting.firstIndex { $0[0].image.parents.values.allSatisfy { !names.contains($0) } } ?? 0
            let image = waiting.remove(at: index)
            added[image[0].image.name] = try await add(image, to: client, added)
        }
        return images.compactMap { added[$0[0].image.name] }
    }

    private func add(_ image: [RenderedImage], to client: ComposeClient, _ added: [String: ImageDocument]) async throws -> ImageDocument {
        let (first, text) = (image[0].image, image[0].plainText)
        let source: DefinitionDocument.Source
        if let context = tree.copies["images/\(first.folder)/context"] {
            source = DefinitionDocument.Source(archive: try await ImageAdd.upload(context, containerfile: text, client))
        } else {
            source = DefinitionDocument.Source(containerfile: text)
        }
        var definition = DefinitionDocument(source: source, platforms: image.map(\.platform.description))
        var arguments = image[0].arguments
        for (argument, parent) in first.parents {
            if let known = added[parent] {
                arguments[argument] = known.repository
            } else {
                arguments[argument] = try await ImageName(argument: parent)?.image(at: client).repository
            }
        }
        definition.arguments = arguments
        for case .label(let name, let value) in first.requirements {
            definition.requires = (definition.requires ?? [:]).merging([name: value]) { $1 }
        }
        definition.network = first.reachesHost ? "host" : "none"
        definition.update = first.update
        definition.movesLatest = movesLatest && first.tags.final.contains(ImageTags.latest)
        definition.tags = first.tags.final.filter { $0 != ImageTags.latest && $0 != "{date}" }
        definition.caches = first.caches
        definition.diskMegabytes = first.disk ?? 0
        definition.memoryMegabytes = first.memory ?? 0
        definition.content = first.content
        // The packages of the image are those that its template installs.
        if first.content?.source.packages == nil, !first.packages.isEmpty { definition.content?.source.packages = first.packages }
        return try await client.addImage(ImageSubmission(repository: first.name, definition: definition))
    }
}
