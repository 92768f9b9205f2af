public import Containerfiles
public import ImageModel

/// A *rendered image* is the Containerfile of an image for one platform.
public struct RenderedImage: Sendable {
    public let image: InventoryImage
    public let platform: Platform
    /// The text with the mounts of the image's caches.
    public let text: String
    /// The text without these mounts.
    public let plainText: String
    /// The values of the build arguments, without those that name parents.
    public let arguments: [String: String]
    public let file: Containerfile
    /// The images of registries that it needs, beside its parents.
    public let namedImages: [NamedImage]
    /// The names of the build contexts that it uses: folders of parameters, and ``extraScripts``.
    public let contexts: Set<String>

    /// The references of ``namedImages``, for a table.
    public var references: [String] { namedImages.map(\.reference.description) }

    /// The name of the build context with the extra scripts.
    static let extraScripts = "extra_scripts"

    /// Renders an image for each of its platforms.
    ///
    /// - Returns: The rendered images, and the problems of the others. All problems are reported.
    static func render(
        _ image: InventoryImage, _ inventory: Inventory, _ folder: InventoryFolder, _ library: TemplateLibrary,
        _ settings: GenerationSettings
    ) -> (rendered: [RenderedImage], problems: [InventoryProblem]) {
        var rendered: [RenderedImage] = []
        var problems: [InventoryProblem] = []
        for platform in image.platforms {
            do throws(InventoryProblem) {
                guard let text = try source(image, platform, folder, library, settings) else { continue }
                let result = try RenderedImage(image, platform, text, inventory, folder, settings)
                rendered.append(result)
                let rules = ContainerfileRules(network: image.network, secrets: Set(image.secrets))
                for problem in rules.problems(in: result.file, arguments: result.arguments(settings)) {
                    problems.append(Self.problem(problem, image, platform, folder))
                }
            } catch {
                problems.append(error)
            }
        }
        // Platforms usually have the same mistakes.
        var seen: Set<String> = []
        return (rendered, problems.filter { seen.insert("\($0.line ?? 0) \($0.message)").inserted })
    }

    private init(
        _ image: InventoryImage, _ platform: Platform, _ text: String, _ inventory: Inventory, _ folder: InventoryFolder,
        _ settings: GenerationSettings
    ) throws(InventoryProblem) {
        self.image = image
        self.platform = platform
        var text = text
        if settings.extraScripts != nil {
            text += (text.hasSuffix("\n") ? "" : "\n") + "COPY --from=\(Self.extraScripts) . /scripts/\n"
        }
        plainText = text
        arguments = Self.values(image, settings)
        let folders = inventory.parameters.filter { $0.values == .folder }.map(\.name) + [Self.extraScripts]
        do throws(ContainerfileProblem) {
            let plain = try Containerfile(text)
            let mounts = image.caches.sorted { $0.key < $1.key }.compactMap { name, path in
                RunMount(cache: "\(image.folder)-\(platform.dashed)-\(name)", target: path)
            }
            self.text = plain.text(adding: mounts)
            file = try Containerfile(self.text)
            contexts = file.contextsUsed(among: Set(folders))
            namedImages = try file.imagesNamed(
                arguments: BuildArguments(
                    Self.values(image, settings).merging(image.parents.mapValues { "localhost/\($0)" }) { own, _ in own },
                    platform: platform),
                contexts: Set(folders)
            ).filter { named in !image.parents.values.contains { named.reference.repository.description == "localhost/\($0)" } }
        } catch {
            throw Self.problem(error, image, platform, folder)
        }
    }

    private static func source(
        _ image: InventoryImage, _ platform: Platform, _ folder: InventoryFolder, _ library: TemplateLibrary, _ settings: GenerationSettings
    ) throws(InventoryProblem) -> String? {
        switch image.recipe {
        case .containerfile(let path): try folder.text(of: path)
        case .template(let name): library.render(name, TemplateValues(image, platform, parameters: settings.parameters))
        }
    }

    /// The values of the build arguments that are known before the build.
    private static func values(_ image: InventoryImage, _ settings: GenerationSettings) -> [String: String] {
        var values = image.arguments
        for (parameter, value) in settings.parameters {
            if let argument = parameter.argument { values[argument] = value }
        }
        return values
    }

    private func arguments(_ settings: GenerationSettings) -> BuildArguments {
        BuildArguments(Self.values(image, settings).merging(image.parents) { own, _ in own }, platform: platform)
    }

    private static func problem(
        _ problem: ContainerfileProblem, _ image: InventoryImage, _ platform: Platform, _ folder: InventoryFolder
    ) -> InventoryProblem {
        switch image.recipe {
        case .containerfile(let path):
            InventoryProblem(file: folder.shown(path), line: problem.line, key: "images.\(image.name)", problem.message)
        case .template(let name):
            InventoryProblem(
                file: folder.shown(TemplateLibrary.file(name)), key: "images.\(image.name)",
                "the Containerfile for \(platform), line \(problem.line): \(problem.message)")
        }
    }
}
