/// An *image generation* is all that an inventory comes to with one set of values: the Containerfiles
/// of the images, the images that are left out, and all problems.
public struct ImageGeneration: Sendable {
    public let inventory: Inventory
    public let settings: GenerationSettings
    /// The Containerfiles, in the order of the inventory and of each image's platforms.
    public let images: [RenderedImage]
    public let absences: [ImageAbsence]
    public let problems: [InventoryProblem]

    /// - Parameter keepsAll: Whether images are rendered too that are not built with these settings, for
    ///   a check of the whole inventory.
    public init(_ inventory: Inventory, in folder: InventoryFolder, settings: GenerationSettings, keepsAll: Bool = false) {
        self.inventory = inventory
        self.settings = settings
        let (library, found) = TemplateLibrary.read(folder, for: inventory)
        var problems = found
        var absences: [String: ImageAbsence] = [:]
        for image in inventory.images { absences[image.name] = settings.absence(of: image) }
        Self.addChildren(of: inventory, to: &absences)
        var images: [RenderedImage] = []
        for image in inventory.images where keepsAll || absences[image.name] == nil {
            if let context = image.context {
                do throws(InventoryProblem) {
                    _ = try folder.resolve(context)
                } catch {
                    problems.append(error)
                }
            }
            let (rendered, found) = RenderedImage.render(image, inventory, folder, library, settings)
            images += rendered
            problems += found
        }
        self.images = images
        self.absences = inventory.images.compactMap { absences[$0.name] }
        self.problems = problems
    }

    /// Adds the images whose parents are absent.
    private static func addChildren(of inventory: Inventory, to absences: inout [String: ImageAbsence]) {
        var count = -1
        while count != absences.count {
            count = absences.count
            for image in inventory.images where absences[image.name] == nil {
                guard let parent = image.parents.values.sorted().compactMap({ absences[$0] }).first else { continue }
                absences[image.name] = ImageAbsence(
                    image: image.name, isWanted: parent.isWanted, reason: "its parent \(parent.image) is not built: \(parent.reason)")
            }
        }
    }
}
