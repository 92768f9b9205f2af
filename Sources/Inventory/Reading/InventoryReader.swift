import Containerfiles
import ForeignText
import ImageModel

/// An inventory reader makes an inventory from the text of `inventory.yaml`.
struct InventoryReader {
    let file: String
    private var parameters: [Parameter] = []

    init(file: String) {
        self.file = file
    }

    mutating func read(_ text: String) throws(InventoryProblem) -> Inventory {
        var root = try MappingReader(text, file: file)
        if var section = try root.mapping("parameters") {
            for name in try section.names("a name of lower-case letters, digits and _", where: Words.isParameterName) {
                guard var entry = try section.mapping(name) else { continue }
                parameters.append(try parameter(name, &entry))
            }
        }
        try rejectSharedNames(root)
        var usual = Shared()
        if var defaults = try root.mapping("defaults") {
            usual = try Shared(&defaults)
            try defaults.rejectUnknownKeys()
        }
        guard var section = try root.mapping("images") else { throw root.mistake("images", "an inventory needs the key images") }
        try root.rejectUnknownKeys()
        var images: [InventoryImage] = []
        for name in try section.names(
            "the name of an image: lower-case letters and digits, separated by . _ - or /", where: Words.isImageName)
        {
            guard var entry = try section.mapping(name) else { continue }
            images.append(try image(name, &entry, usual))
        }
        guard !images.isEmpty else { throw root.mistake("images", "must have at least one image") }
        try checkParents(of: images, section)
        return Inventory(parameters: parameters, images: images)
    }

    // MARK: Parameters

    private func parameter(_ name: String, _ entry: inout MappingReader) throws(InventoryProblem) -> Parameter {
        if Parameter.reservedNames.contains(name) {
            throw entry.mistake("", "templates have a value \(name) already. Choose another name")
        }
        guard let variable = try entry.text("env", "the name of an environment variable, like DPDK_URL", where: Words.isVariableName) else {
            throw entry.mistake("env", "a parameter needs the name of its environment variable")
        }
        if BuiltInVariable(rawValue: variable) != nil { throw entry.mistake("env", "\(variable) has a meaning of its own") }
        let description = try entry.text("description") ?? ""
        let argument = try entry.text("argument", "the name of a build argument", where: Words.isArgumentName)
        let values = try values(&entry)
        let parameter = Parameter(
            name: name, environment: variable, defaultValue: try entry.text("default"), values: values, description: description,
            argument: argument)
        if let text = parameter.defaultValue, !text.isEmpty, let complaint = parameter.complaint(about: text) {
            throw entry.mistake("default", complaint)
        }
        try entry.rejectUnknownKeys()
        return parameter
    }

    private func values(_ entry: inout MappingReader) throws(InventoryProblem) -> Parameter.Values {
        if entry.form("values") == .list {
            let choices = try entry.texts("values", "texts that are not empty", where: { !$0.isEmpty }) ?? []
            guard !choices.isEmpty else { throw entry.mistake("values", "must have at least one element") }
            return .choice(choices)
        }
        let kinds: [String: Parameter.Values] = ["text": .text, "number": .number, "url": .url, "folder": .folder]
        let kind = try entry.text("values", "text, number, url, folder, or a list of texts", where: { kinds[$0] != nil })
        return kind.flatMap { kinds[$0] } ?? .text
    }

    private func rejectSharedNames(_ root: MappingReader) throws(InventoryProblem) {
        for (index, parameter) in parameters.enumerated() {
            if let other = parameters[..<index].first(where: { $0.environment == parameter.environment }) {
                throw root.mistake("parameters", "\(other.name) and \(parameter.name) have the same env, \(parameter.environment)")
            }
        }
    }

    // MARK: Images

    /// The keys that `defaults` and an image share.
    private struct Shared {
        var platforms: [Platform]?
        var packages: [String]?
        var tags: ImageTags?
        var disk: Int?
        var memory: Int?
        var network: BuildNetwork?

        init() {}

        init(_ entry: inout MappingReader) throws(InventoryProblem) {
            if let texts = try entry.texts(
                "platforms", "platforms like linux/amd64", where: { $0.contains("/") && (try? Platform($0)) != nil })
            {
                guard !texts.isEmpty else { throw entry.mistake("platforms", "must have at least one element") }
                platforms = texts.compactMap { try? Platform($0) }
                guard Set(platforms ?? []).count == texts.count else { throw entry.mistake("platforms", "has a platform twice") }
            }
            packages = try entry.texts("packages", "names of packages", where: Words.isPackage)
            let size = "a size like 10 GB"
            disk = try entry.text("disk", size, where: { Words.megabytes($0) != nil }).flatMap(Words.megabytes)
            memory = try entry.text("memory", size, where: { Words.megabytes($0) != nil }).flatMap(Words.megabytes)
            network = try entry.text("network", "none or host", where: { BuildNetwork(rawValue: $0) != nil })
                .flatMap(BuildNetwork.init)
            if var tags = try entry.mapping("tags") { self.tags = try Self.tags(&tags) }
        }

        private static func tags(_ entry: inout MappingReader) throws(InventoryProblem) -> ImageTags {
            let usual = ImageTags()
            let platform = try entry.text("platform", "a tag with {platform}, and with {date} if it changes every day") {
                $0.contains("{platform}") && Words.isTag($0, placeholders: ["platform", "date"])
            }
            let final = try entry.texts("final", "tags, with {date} if they change every day") { Words.isTag($0, placeholders: ["date"]) }
            if let final, final.allSatisfy({ $0 == ImageTags.latest }) {
                throw entry.mistake("final", "needs a tag besides latest, which can be switched off")
            }
            try entry.rejectUnknownKeys()
            return ImageTags(platform: platform ?? usual.platform, final: final ?? usual.final)
        }
    }

    private func image(_ name: String, _ entry: inout MappingReader, _ usual: Shared) throws(InventoryProblem) -> InventoryImage {
        let own = try Shared(&entry)
        guard let platforms = own.platforms ?? usual.platforms else { throw entry.mistake("platforms", "an image needs platforms") }
        let recipe = try recipe(&entry)
        let image = InventoryImage(
            name: name, line: entry.line, recipe: recipe, context: try entry.text("context", Self.path, where: Words.isRelativePath),
            platforms: platforms, packages: own.packages ?? usual.packages ?? [], variables: try variables(&entry),
            parents: try named(&entry, "parents", "the name of an image", where: Words.isImageName),
            arguments: try named(&entry, "arguments", "a text", where: { _ in true }), tags: own.tags ?? usual.tags ?? ImageTags(),
            requirements: try requirements(&entry), condition: try condition(&entry), caches: try caches(&entry),
            disk: own.disk ?? usual.disk, memory: own.memory ?? usual.memory, network: own.network ?? usual.network ?? .none,
            secrets: try entry.texts("secrets", "ids of secrets", where: Words.isPlainName) ?? [],
            content: try ContentReader.content(of: &entry),
            update: try entry.flag("update") ?? false)
        try entry.rejectUnknownKeys()
        if let shared = Set(image.parents.keys).intersection(image.arguments.keys).sorted().first {
            throw entry.mistake("arguments", "the argument \(shared) is in parents already")
        }
        return image
    }

    private static let path = "a path inside of the inventory"

    private func recipe(_ entry: inout MappingReader) throws(InventoryProblem) -> InventoryImage.Recipe {
        let template = try entry.text("template", "the name of a template", where: Words.isRelativePath)
        let containerfile = try entry.text("containerfile", Self.path, where: Words.isRelativePath)
        switch (template, containerfile) {
        case (let name?, nil): return .template(name)
        case (nil, let path?): return .containerfile(path)
        default: throw entry.mistake("template", "an image needs either template or containerfile")
        }
    }

    private func variables(_ entry: inout MappingReader) throws(InventoryProblem) -> [String: InventoryImage.Variable] {
        guard var section = try entry.mapping("variables") else { return [:] }
        var variables: [String: InventoryImage.Variable] = [:]
        for name in try section.names("a name of lower-case letters, digits and _", where: Words.isParameterName) {
            guard !Parameter.reservedNames.contains(name), !parameters.contains(where: { $0.name == name }) else {
                throw section.mistake(name, "templates have a value \(name) already. Choose another name")
            }
            switch section.form(name) {
            case .flag: variables[name] = .flag(try section.flag(name) ?? false)
            case .list: variables[name] = .list(try section.texts(name) ?? [])
            default: variables[name] = .text(try section.text(name, "a text, true, false or a list of texts") ?? "")
            }
        }
        return variables
    }

    private func named(
        _ entry: inout MappingReader, _ key: String, _ expected: String, where isRight: (String) -> Bool
    ) throws(InventoryProblem) -> [String: String] {
        guard var section = try entry.mapping(key) else { return [:] }
        var values: [String: String] = [:]
        for name in try section.names("the name of a build argument", where: Words.isArgumentName) {
            values[name] = try section.text(name, expected, where: isRight)
        }
        return values
    }

    private func caches(_ entry: inout MappingReader) throws(InventoryProblem) -> [String: String] {
        guard var section = try entry.mapping("caches") else { return [:] }
        var caches: [String: String] = [:]
        for name in try section.names("a name of letters, digits, . _ and -", where: Words.isPlainName) {
            caches[name] = try section.text(name, "an absolute path of letters, digits and . _ + - /", where: Words.isContainerPath)
        }
        return caches
    }

    private func condition(_ entry: inout MappingReader) throws(InventoryProblem) -> String? {
        guard let name = try entry.text("when", "the name of a parameter", where: Words.isParameterName) else { return nil }
        guard let parameter = try known(name, "when", entry) else { return nil }
        guard parameter.isSwitch else { throw entry.mistake("when", "\(name) must be a parameter with the values Y and N") }
        return name
    }

    /// Returns the requirements: a mapping of labels, or a list of parameters and of such mappings.
    private func requirements(_ entry: inout MappingReader) throws(InventoryProblem) -> [Requirement] {
        guard let form = entry.form("requires") else { return [] }
        guard form == .list else {
            guard var labels = try entry.mapping("requires") else { return [] }
            return try self.labels(&labels)
        }
        var requirements: [Requirement] = []
        let reader = entry
        try entry.elements("requires") { name, labels throws(InventoryProblem) in
            if let name, let parameter = try known(name, "requires", reader) { requirements.append(.parameter(parameter.name)) }
            if var labels { requirements += try self.labels(&labels) }
        }
        return requirements
    }

    private func labels(_ section: inout MappingReader) throws(InventoryProblem) -> [Requirement] {
        var labels: [Requirement] = []
        for name in try section.names("the name of a label", where: Words.isPlainName) {
            guard let value = try section.text(name, "the value of a label", where: Words.isPlainName) else { continue }
            labels.append(.label(name: name, value: value))
        }
        return labels
    }

    private func known(_ name: String, _ key: String, _ entry: MappingReader) throws(InventoryProblem) -> Parameter? {
        if let parameter = parameters.first(where: { $0.name == name }) { return parameter }
        let nearest = NearestNames(names: parameters.map(\.name)).nearest(to: name, within: 4)
        throw entry.mistake(key, "there is no parameter \(name.quoted)\(nearest.map { "; did you mean \($0)?" } ?? "")")
    }

    // MARK: Parents

    /// Checks that parents exist, that they have the platforms of their children, and that no image is
    /// its own parent.
    private func checkParents(of images: [InventoryImage], _ section: MappingReader) throws(InventoryProblem) {
        let byName = Dictionary(uniqueKeysWithValues: images.map { ($0.name, $0) })
        for image in images {
            for (argument, name) in image.parents.sorted(by: { $0.key < $1.key }) {
                let key = "images.\(image.name).parents.\(argument)"
                guard let parent = byName[name] else {
                    let nearest = NearestNames(names: images.map(\.name)).nearest(to: name, within: 4)
                    throw InventoryProblem(
                        file: file, line: image.line, key: key,
                        "there is no image \(name.quoted)\(nearest.map { "; did you mean \($0)?" } ?? "")")
                }
                if let missing = image.platforms.first(where: { !parent.platforms.contains($0) }) {
                    throw InventoryProblem(file: file, line: image.line, key: key, "\(name) is not built for \(missing)")
                }
            }
        }
        var done: Set<String> = []
        for image in images {
            var path: [String] = []
            try walk(image, byName, &path, &done)
        }
    }

    private func walk(
        _ image: InventoryImage, _ images: [String: InventoryImage], _ path: inout [String], _ done: inout Set<String>
    ) throws(InventoryProblem) {
        if let start = path.firstIndex(of: image.name) {
            let circle = (path[start...] + [image.name]).joined(separator: " → ")
            throw InventoryProblem(
                file: file, line: image.line, key: "images.\(image.name).parents", "images are built on each other: \(circle)")
        }
        guard !done.contains(image.name) else { return }
        guard path.count < 100 else {
            throw InventoryProblem(file: file, line: image.line, key: "images.\(image.name).parents", "has more than 100 images below it")
        }
        path.append(image.name)
        for name in image.parents.values.sorted() {
            if let parent = images[name] { try walk(parent, images, &path, &done) }
        }
        path.removeLast()
        done.insert(image.name)
    }
}
