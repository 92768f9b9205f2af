import ComposeStore
import ForeignText
import Hummingbird
import ImageModel

/// The handlers of `/api/1/images/{id}/contents`, `/api/1/images/{id}/diff` and
/// `/api/1/images/{id}/why`: the packages of an image, their change from one build to another, and the
/// way by which one came in.
struct ContentsController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource("/api/1/images/{id}/contents", [.get: .open(contents)]),
            Resource("/api/1/images/{id}/diff", [.get: .open(difference)]),
            Resource("/api/1/images/{id}/why", [.get: .open(why)]),
        ]
    }

    private func contents(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let image = try await store.image(of: context)
        let query = try Query(request)
        let digests = try await manifests(of: image, at: query["digest"], named: "digest", on: try query.platform)
        var manifests: [ContentsDocument.Manifest] = []
        for (platform, digest) in digests.sorted(by: { $0.key < $1.key }) {
            let contents = try await store.contents(of: digest)
            manifests.append(.init(platform: contents?.platform ?? platform, digest: digest, contents: contents))
        }
        return try .json(ContentsDocument(image: image.id, repository: image.repository, manifests: manifests))
    }

    private func difference(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let image = try await store.image(of: context)
        let query = try Query(request)
        guard let from = query["from"] else {
            throw RequestRejection.badRequest(
                "from is missing. It must be the number of a build of the image, or the digest of one of its manifests.")
        }
        let before = try await manifests(of: image, at: from, named: "from", on: try query.platform)
        let after = try await manifests(of: image, at: query["to"], named: "to", on: try query.platform)
        var manifests: [DifferenceDocument.Manifest] = []
        for platform in Set(before.keys).union(after.keys).sorted() {
            manifests.append(try await difference(platform, before[platform], after[platform]))
        }
        return try .json(DifferenceDocument(image: image.id, repository: image.repository, manifests: manifests))
    }

    private func difference(
        _ platform: Platform, _ from: ImageDigest?, _ to: ImageDigest?
    ) async throws -> DifferenceDocument.Manifest {
        guard let from, let to else {
            return .init(
                platform: platform, from: from, to: to,
                problem: from == nil ? "There was no image for \(platform)." : "There is no image for \(platform) any more.")
        }
        var packages: [[InstalledPackage]] = []
        for digest in [from, to] {
            switch try await store.contents(of: digest)?.state {
            case .read(let found): packages.append(found)
            case .some(.none): packages.append([])
            case .unknown(let problem):
                return .init(platform: platform, from: from, to: to, problem: "The contents of \(digest) are unknown: \(problem)")
            case nil: return .init(platform: platform, from: from, to: to, problem: "The contents of \(digest) were not read yet.")
            }
        }
        return .init(platform: platform, from: from, to: to, difference: ContentsDifference(from: packages[0], to: packages[1]))
    }

    private func why(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let image = try await store.image(of: context)
        let query = try Query(request)
        guard let package = query["package"] else {
            throw RequestRejection.badRequest("package is missing. It must be the name of a package, such as openssl-libs.")
        }
        var manifests: [WhyDocument.Manifest] = []
        for (platform, digest) in try await self.manifests(of: image, at: query["digest"], named: "digest", on: try query.platform)
            .sorted(by: { $0.key < $1.key })
        {
            let contents = try await store.contents(of: digest)
            var origins: [WhyDocument.Origin] = []
            if let contents { origins = try await self.origins(of: package, in: contents) }
            manifests.append(.init(platform: contents?.platform ?? platform, digest: digest, contents: contents, origins: origins))
        }
        return try .json(WhyDocument(image: image.id, repository: image.repository, package: package, manifests: manifests))
    }

    /// Returns the origin of each build of a package in an image.
    private func origins(of name: String, in contents: Contents) async throws -> [WhyDocument.Origin] {
        let installed = (contents.packages ?? []).filter { $0.name == name }
        guard !installed.isEmpty else { return [] }
        let below = try await store.images(below: contents, with: name)
        var origins: [WhyDocument.Origin] = []
        for package in installed {
            guard let origin = PackageOrigin(of: package, in: contents, below: below) else { continue }
            var (composes, causes) = ([Int](), [BuildCause]())
            if let build = origin.image.build {
                causes = try await store.causes(of: build, for: package, on: contents.platform)
                composes = causes.isEmpty ? try await store.build(build)?.composes ?? [] : Set(causes.map(\.compose)).sorted()
            }
            origins.append(.init(origin, in: contents.digest, composes: composes, causes: causes))
        }
        return origins
    }

    /// Returns the manifests of an image by platform.
    ///
    /// - Parameters:
    ///   - place: The number of a build, the digest of its list or of a manifest whose contents are
    ///     recorded, or nil for the manifests in use.
    ///   - platform: Nil for all platforms.
    private func manifests(
        of image: Image, at place: String?, named name: String, on platform: Platform?
    ) async throws -> [Platform: ImageDigest] {
        let found: [Platform: ImageDigest]
        if let place, place.contains(":") {
            found = try await manifests(of: image, digest: place, named: name)
        } else if let place {
            found = try await manifests(of: image, build: place, named: name)
        } else {
            found = try await store.manifests(of: image.id)
        }
        guard let platform else { return found }
        if !found.isEmpty, found[platform] == nil {
            throw RequestRejection(
                .notFound,
                "The image has nothing for \(platform). It has \(found.keys.sorted().map(\.description).joined(separator: ", ")).")
        }
        return found.filter { $0.key == platform }
    }

    /// The digest is that of a manifest, or of the manifest list of a build.
    private func manifests(of image: Image, digest text: String, named name: String) async throws -> [Platform: ImageDigest] {
        let digest: ImageDigest
        do throws(ImageProblem) {
            digest = try ImageDigest(text)
        } catch {
            throw RequestRejection.badRequest("\(name): \(error.description)")
        }
        if let contents = try await store.contents(of: digest) { return [contents.platform: digest] }
        if let build = try await store.build(of: image.id, list: digest) { return Self.manifests(of: build) }
        throw RequestRejection(.notFound, "The contents of \(digest) are not recorded. They may be read later.")
    }

    private func manifests(of image: Image, build text: String, named name: String) async throws -> [Platform: ImageDigest] {
        guard let id = Int(text) else {
            throw RequestRejection.badRequest("\(name) is \(text.quoted). It must be the number of a build, or a digest.")
        }
        guard let build = try await store.build(id), build.image == image.id else {
            throw RequestRejection(.notFound, "There is no build \(id) of image \(image.id).")
        }
        return Self.manifests(of: build)
    }

    private static func manifests(of build: Build) -> [Platform: ImageDigest] {
        let steps = build.steps.compactMap { step in step.platform.flatMap { platform in step.digest.map { (platform, $0) } } }
        return Dictionary(uniqueKeysWithValues: steps)
    }

    /// The query of both handlers. If a key occurs twice, the last one counts.
    private struct Query {
        private let values: [String: String]

        init(_ request: Request) throws(RequestRejection) {
            values = Dictionary(
                try QueryItems(request.uri.query).items.filter { !$0.value.isEmpty }.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        }

        subscript(key: String) -> String? { values[key] }

        var platform: Platform? {
            get throws(RequestRejection) {
                do throws(ImageProblem) {
                    guard let text = values["platform"] else { return nil }
                    return try Platform(text)
                } catch {
                    throw .badRequest("platform: \(error.description)")
                }
            }
        }
    }
}
