import ComposeStore
import Containerfiles
import ForeignText
import ImageModel
import Registry

/// *Base images* are the images that a Containerfile names, with the digests that all steps of a build
/// use.
struct BaseImages {
    let configuration: ImageBuildConfiguration
    let registry: RegistryClient
    let log: StepLog

    /// Returns the digests of the images by their references, as ``BuildPins/images`` has them.
    ///
    /// - Parameters:
    ///   - known: The digests that another step has resolved.
    ///   - parents: The images that were built for this build.
    func resolve(
        _ images: [NamedImage], known: [String: ImageDigest], parents: [ImageRepository: ImageDigest]
    ) async throws -> [String: ImageDigest] {
        var digests: [String: ImageDigest] = [:]
        for image in images {
            let name = image.reference.description
            guard digests[name] == nil else { continue }
            if let allowed = configuration.allowedRegistries, !allowed.contains(image.reference.repository.host) {
                throw BuildFailure(
                    .badContainerfile,
                    "The Containerfile cannot be used:\nline \(image.line): \(name) is in a registry that images may not be based on. Allowed "
                        + "are \(allowed.map(\.description).sorted().joined(separator: ", ")) (images.allowed_registries).")
            }
            if let digest = image.reference.digest ?? known[name] ?? parents[image.reference.repository] {
                digests[name] = digest
            } else {
                digests[name] = try await digest(of: image)
            }
        }
        return digests
    }

    /// Throws if a base has ONBUILD instructions. The builder would run them, and no rule would have seen
    /// them.
    ///
    /// - Parameters:
    ///   - digests: The digests of the images by their references.
    ///   - platform: The platform that is built. Nil if the Containerfile itself chooses platforms.
    func refuseTriggers(of images: [NamedImage], _ digests: [String: ImageDigest], on platform: Platform?) async throws {
        var checked: Set<ImageReference> = []
        for image in images {
            guard case .base = image.role, let digest = digests[image.reference.description] else { continue }
            let repository = image.reference.repository
            guard checked.insert(ImageReference(repository, digest: digest)).inserted else { continue }
            do {
                for manifest in try await manifests(of: digest, in: repository, on: platform) {
                    let bytes = try await registry.knownBlob(manifest.configuration, of: repository)
                    guard let trigger = try ImageConfiguration(bytes).triggers.first else { continue }
                    throw Self.failure(image, "has the instruction ONBUILD \(trigger.printable(most: 200)), which no rule has checked")
                }
            } catch let problem as ImageProblem {
                throw Self.failure(image, "cannot be used: \(problem.description)")
            }
        }
    }

    private static func failure(_ image: NamedImage, _ text: String) -> BuildFailure {
        BuildFailure([ContainerfileProblem(line: image.line, "the image \(image.reference) \(text)")])
    }

    /// Returns the manifests that the builder may choose for a base.
    private func manifests(
        of image: ImageDigest, in repository: ImageRepository, on platform: Platform?
    ) async throws -> [Manifest] {
        switch try await registry.knownManifest(image, of: repository).content {
        case .manifest(let manifest): return [manifest]
        case .index(let index):
            var manifests: [Manifest] = []
            // The builder may take another variant of the architecture.
            for candidate in index.platforms where platform == nil || candidate.architecture == platform?.architecture {
                let digest = try index.manifest(for: candidate).digest
                let document = try await registry.knownManifest(digest, of: repository)
                if case .manifest(let manifest) = document.content { manifests.append(manifest) }
            }
            return manifests
        }
    }

    private func digest(of image: NamedImage) async throws -> ImageDigest {
        do throws(RegistryFailure) {
            let digest = try await registry.manifest(image.reference).digest
            log.note("\(image.reference) is \(digest).")
            return digest
        } catch {
            guard error.code == .notFound else { throw error }
            throw BuildFailure(
                .baseNotFound,
                "The image \(image.reference) in line \(image.line) of the Containerfile is not in its registry. \(await alternatives(to: image))"
            )
        }
    }

    /// Returns a sentence with the tags that are most like the tag that is absent.
    private func alternatives(to image: NamedImage) async -> String {
        let wanted = image.reference.tag?.text ?? ImageTag.latest.text
        let tags: [ImageTag]
        do {
            tags = try await registry.tags(of: image.reference.repository)
        } catch {
            // The list only helps to explain the failure, so the failure is reported without it.
            return "Its tags could not be listed."
        }
        guard !tags.isEmpty else { return "The registry has no tag of \(image.reference.repository)." }
        let nearest = tags.map(\.text).sorted {
            let (one, other) = (Self.common($0, wanted), Self.common($1, wanted))
            return one == other ? $0 > $1 : one > other
        }.prefix(3)
        return "The registry has \(nearest.joined(separator: ", "))."
    }

    /// The number of characters that both texts begin with.
    private static func common(_ one: String, _ other: String) -> Int { zip(one, other).prefix { $0 == $1 }.count }
}
