import ComposeModel
import ForeignText
import ImageModel

/// A definition reader turns the member `definition` of a body into an image definition, and checks
/// that this server can build it.
struct DefinitionReader: Sendable {
    static let members = [
        "source", "platforms", "arguments", "requires", "network", "update", "moves_latest", "missing", "required_platforms",
        "tags", "caches", "disk_megabytes", "memory_megabytes", "content",
    ]

    let service: ImageService
    let places: any SourcePlaces
    let validator: RequestValidator

    /// Returns the definition in a body.
    ///
    /// - Parameters:
    ///   - old: The present definition. It has the values of members that the body leaves out. Nil for a new
    ///     image, which needs `source` and `platforms`.
    ///   - checksContainerfile: Whether the Containerfile is checked as well.
    func definition(
        _ body: BodyField, changing old: ImageDefinition? = nil, checksContainerfile: Bool = true
    ) async throws -> ImageDefinition {
        guard let field = try body.object("definition") else {
            throw RequestRejection.badRequest(
                "definition is missing. It must be an object such as "
                    + "{\"source\": {\"containerfile\": \"FROM scratch\"}, \"platforms\": [\"linux/amd64\"]}.")
        }
        let definition = try read(field, changing: old)
        if checksContainerfile { try await ContainerfileCheck(service: service).check(definition) }
        return definition
    }

    private func read(_ field: BodyField, changing old: ImageDefinition?) throws(RequestRejection) -> ImageDefinition {
        try field.checkMembers(Self.members)
        guard let source = try source(field) ?? old?.source else {
            throw .badRequest("definition.source is missing. It must be an object with containerfile, git or archive.")
        }
        guard let platforms = try field.platforms("platforms") ?? old?.platforms else {
            throw .badRequest("definition.platforms is missing. It must be a list such as [\"linux/amd64\"].")
        }
        var definition = old ?? ImageDefinition(source: source, platforms: platforms)
        definition.source = source
        definition.platforms = platforms
        if let arguments = try field.buildArguments("arguments") { definition.arguments = arguments }
        if let requires = try field.texts("requires") { definition.requires = try Self.labels(requires) }
        if let network = try network(field) { definition.network = network }
        if let update = try field.boolean("update") { definition.update = update }
        if let movesLatest = try field.boolean("moves_latest") { definition.movesLatest = movesLatest }
        definition.requiredPlatforms = try requiredPlatforms(field, of: definition)
        if let tags = try field.listTags() { definition.tags = tags }
        if let caches = try field.caches() { definition.caches = caches }
        if let disk = try field.megabytes("disk_megabytes") { definition.diskMegabytes = disk == 0 ? nil : disk }
        if let memory = try field.megabytes("memory_megabytes") { definition.memoryMegabytes = memory == 0 ? nil : memory }
        definition.content = try content(field, of: definition)
        return definition
    }

    /// Returns the content of an image. The limits of the server, or the platforms, may have changed since
    /// a content that stays was validated.
    private func content(_ field: BodyField, of definition: ImageDefinition) throws(RequestRejection) -> ImageContent? {
        let body: ComposeRequestBody
        do throws(RequestRejection) {
            switch (field.member("content")?.value, definition.content?.submission) {
            case (.null?, _), (nil, nil): return nil
            case (let value?, _): body = try ComposeRequestBody(value)
            case (nil, let old?): body = ComposeRequestBody(old)
            }
            var request = try validator.request(body)
            if body.arches == nil { request.arches = try arches(for: definition.platforms) }
            guard request.sourceType.traits.hasRepository else {
                throw .badRequest("source.type \(request.sourceType.name) makes no repository that a build could use.")
            }
            guard request.delivery == .link else {
                throw .badRequest("delivery must be link, because a build reads the packages from the compose.")
            }
            return ImageContent(submission: body.submission, request: request)
        } catch {
            throw RequestRejection(error.status, "definition.content: \(error.message)")
        }
    }

    /// Returns the architectures of packages for platforms.
    private func arches(for platforms: [Platform]) throws(RequestRejection) -> [String] {
        var arches: Set<String> = []
        for platform in platforms {
            guard let arch = platform.rpmArchitecture else {
                throw .badRequest("there are no packages for \(platform).")
            }
            arches.insert(arch)
        }
        let allowed = validator.limits.allowedArches
        if let other = arches.sorted().first(where: { !allowed.isEmpty && !allowed.contains($0) }) {
            throw .badRequest(
                "this server makes no composes for \(other), which a platform needs. It makes them for \(allowed.joined(separator: ", ")).")
        }
        return arches.sorted()
    }

    /// Returns the platforms without which a build fails, or nil if it needs all of them.
    private func requiredPlatforms(_ field: BodyField, of definition: ImageDefinition) throws(RequestRejection) -> [Platform]? {
        let missing = try field.string("missing")
        let asked = field.member("required_platforms") == nil ? nil : try field.platforms("required_platforms", isEmptyAllowed: true)
        let allows: Bool
        switch missing {
        case nil: allows = definition.requiredPlatforms != nil
        case "fail": allows = false
        case "leave-out": allows = true
        case let text?: throw .badRequest("definition.missing is \(text.quoted). It must be fail or leave-out.")
        }
        guard allows else {
            // A definition that a client has read has all platforms there.
            guard asked == nil || asked == definition.platforms else {
                throw .badRequest("definition.required_platforms needs missing: leave-out. With fail, all platforms are required.")
            }
            return nil
        }
        let required = asked ?? definition.requiredPlatforms ?? []
        guard let other = required.first(where: { !definition.platforms.contains($0) }) else { return required }
        if asked == nil { return required.filter(definition.platforms.contains) }
        throw .badRequest("definition.required_platforms has \(other), which definition.platforms does not have.")
    }

    private func source(_ field: BodyField) throws(RequestRejection) -> ImageDefinition.Source? {
        guard let source = try field.object("source") else { return nil }
        let kinds = ["containerfile", "git", "archive"]
        try source.checkMembers(kinds)
        let named = kinds.filter { source.member($0) != nil }
        guard named.count == 1 else {
            let found = named.isEmpty ? "none" : named.joined(separator: " and ")
            throw .badRequest("definition.source must have exactly one of containerfile, git and archive, and has \(found).")
        }
        if let text = try source.string("containerfile") { return .containerfile(text) }
        if let digest = try source.string("archive") {
            do throws(ImageProblem) {
                return .archive(try ImageDigest(digest))
            } catch {
                throw .badRequest("definition.source.archive: \(error.description)")
            }
        }
        return try source.object("git").map { (git) throws(RequestRejection) in try self.git(git) }
    }

    private func git(_ field: BodyField) throws(RequestRejection) -> ImageDefinition.Source {
        try field.checkMembers(["url", "reference", "folder"])
        guard let url = try field.string("url"), let reference = try field.string("reference") else {
            throw .badRequest("\(field.name) must have a url and a reference, which is a branch, a tag or a commit.")
        }
        let folder = try field.string("folder") ?? ""
        for (key, text) in [("url", url), ("reference", reference), ("folder", folder)] { try Self.checkWord(text, "\(field.name).\(key)") }
        guard !url.isEmpty, !reference.isEmpty else { throw .badRequest("\(field.name) has an empty url or reference.") }
        guard !folder.hasPrefix("/"), folder.split(separator: "/").allSatisfy({ PathComponent.accepts(String($0)) }) else {
            throw .badRequest("\(field.name).folder is \(folder.quoted). It must be a path below the top of the repository.")
        }
        try checkGit(url, "\(field.name).url")
        return .git(url: url, reference: reference, folder: folder)
    }

    static func checkWord(_ text: String, _ name: String) throws(RequestRejection) {
        guard text.utf8.count <= 1024, text.utf8.first != UInt8(ascii: "-"),
            !text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.isInvisible })
        else { throw .badRequest("\(name) is \(text.quoted). It must be one word that does not begin with -.") }
    }

    /// Throws if workers may not fetch from the address of a git repository.
    func checkGit(_ url: String, _ name: String) throws(RequestRejection) {
        do throws(ComposeFailure) {
            try places.authorize([url])
        } catch {
            throw .badRequest("\(name): \(error.message)")
        }
        guard url.hasPrefix("https://") else {
            throw .badRequest("\(name) is \(url.quoted). It must begin with https://, because the image is made from what it sends.")
        }
    }

    private static func labels(_ labels: [String: String]) throws(RequestRejection) -> [String: String] {
        let texts = labels.keys.sorted() + labels.values.sorted()
        guard labels.count <= 20, texts.allSatisfy({ $0.wholeMatch(of: /[A-Za-z0-9_.\/-]{1,100}/) != nil }) else {
            throw .badRequest(
                "definition.requires must have at most 20 labels of letters, digits, _, ., / and -, such as {\"host\": \"rhel\"}.")
        }
        return labels
    }

    private func network(_ field: BodyField) throws(RequestRejection) -> BuildNetwork? {
        guard let text = try field.string("network") else { return nil }
        guard let network = BuildNetwork(rawValue: text) else {
            throw .badRequest("definition.network is \(text.quoted). It must be none or host.")
        }
        guard network == .none || service.allowsHostNetwork else {
            throw .badRequest("definition.network cannot be host on this server: the setting images.network allows none.")
        }
        return network
    }
}
