import ImageModel
import Inventory
import Registry

/// An image of a generated tree, as the registry has it after the push.
struct PushedImage {
    let image: TreeReferences.Image
    /// The manifest of each platform, in the order of the inventory.
    private let manifests: [(platform: Platform, reference: ImageReference, document: ManifestDocument)]

    /// Reads the image back from the registry, and checks it.
    ///
    /// - Throws: ``CommandFailure`` if a platform is missing, or is another one.
    init(_ image: TreeReferences.Image, in registry: RegistryClient) async throws {
        self.image = image
        var manifests: [(platform: Platform, reference: ImageReference, document: ManifestDocument)] = []
        for pushed in image.platforms {
            manifests.append((pushed.platform, pushed.reference, try await Self.read(pushed, in: registry)))
        }
        self.manifests = manifests
    }

    private static func read(_ pushed: TreeReferences.PlatformImage, in registry: RegistryClient) async throws -> ManifestDocument {
        let reference = pushed.reference
        do {
            let document = try await registry.manifest(reference)
            guard case .manifest(let manifest) = document.content else {
                throw CommandFailure(.error, "\(reference) is a manifest list, and an image was expected")
            }
            let platform = try ImageConfiguration(try await registry.blob(manifest.configuration, of: reference.repository)).platform
            guard platform == pushed.platform else {
                throw CommandFailure(
                    .error, "\(reference) is an image for \(platform), and not for \(pushed.platform); no manifest list was written")
            }
            return document
        } catch let failure as RegistryFailure where failure.code == .notFound {
            throw CommandFailure(.error, "the registry has no \(reference); no manifest list was written. Push the images first")
        } catch let failure as RegistryFailure {
            throw CommandFailure(.error, failure.message)
        } catch let problem as ImageProblem {
            throw CommandFailure(.error, "\(reference): \(problem.description)")
        }
    }

    /// The manifest list. Equal images give the same bytes.
    var list: ManifestDocument {
        ManifestDocument(ImageIndex(manifests: manifests.map { $0.document.descriptor(platform: $0.platform) }))
    }

    /// Writes the manifest list to all its tags, `latest` last.
    func writeList(to registry: RegistryClient) async throws {
        for tag in image.tags {
            try await CommandFailure.explaining { () async throws(RegistryFailure) in
                _ = try await registry.put(list, to: tag.repository, tag: tag.tag)
            }
        }
    }

    /// The tags of the platforms, each with the digest of its manifest.
    var platforms: [(platform: Platform, reference: ImageReference, digest: ImageDigest)] {
        manifests.map { ($0.platform, $0.reference, $0.document.digest) }
    }
}

/// The result of `odcs image push`.
struct PushReport: Encodable {
    let images: [Entry]
    let lists: [List]

    struct Entry: Encodable {
        let image: String
        let platform: String
        /// The tag that the platform was pushed to.
        let reference: String
        let digest: String
    }

    struct List: Encodable {
        let image: String
        let platforms: [String]
        let references: [String]
        let digest: String
    }

    init(_ pushed: [PushedImage], hasLists: Bool) {
        images = pushed.flatMap { image in
            image.platforms.map {
                Entry(
                    image: image.image.name, platform: "\($0.platform)", reference: "\($0.reference)", digest: "\($0.digest)")
            }
        }
        lists =
            hasLists
            ? pushed.map { image in
                List(
                    image: image.image.name, platforms: image.platforms.map { "\($0.platform)" },
                    references: image.image.tags.map(\.description), digest: "\(image.list.digest)")
            } : []
    }

    var text: String {
        let rows =
            images.map { [$0.reference, $0.digest] } + lists.flatMap { list in list.references.map { [$0, list.digest] } }
        return Table(rows: [["REFERENCE", "DIGEST"]] + rows).text()
    }
}
