public import ComposeStore
public import ImageModel

/// A *base change* is an image with older packages than an image that it builds on.
public struct BaseChange: Hashable, Sendable {
    public let image: Int
    /// The manifests that have the newer packages.
    public let cause: RuleCause
    /// The images of this service that have them.
    public let parents: Set<Int>
}

/// The *base changes* compare images with the images that they build on, as both are now. An image that
/// has the packages of its base is not among them, even if the base has another digest.
public struct BaseChanges: Sendable {
    let store: ComposeStore

    public init(store: ComposeStore) {
        self.store = store
    }

    /// Returns the changes of images that no build of the image or of its parents will soon undo.
    ///
    /// - Parameter ids: The images to compare.
    public func changes(of ids: Set<Int>) async throws -> [BaseChange] {
        var bases = ImageBases(try await store.planningFacts(about: ids))
        if !bases.withoutBase.isEmpty { bases.find(among: try await store.layers(of: ids)) }
        let references = bases.references.filter { $0.digest == nil }
        let followed = try await store.followedImages(ids, named: references)
        let own = Dictionary(followed.map { ($0.id, $0) }) { first, _ in first }
        let named = NamedImages(followed)
        let foreign = try await store.bases(references.filter { !named.has($0.repository) })
        var memory: [ImageDigest: [InstalledPackage]] = [:]
        func packages(of digest: ImageDigest) async throws -> [InstalledPackage]? {
            if let known = memory[digest] { return known }
            let found = try await store.contents(of: digest)?.packages
            memory[digest] = found
            return found
        }

        var changes: [BaseChange] = []
        for known in bases.images {
            guard let image = own[known.id], !image.hasOpenBuild else { continue }
            var (digests, parents) = (Set<ImageDigest>(), Set<Int>())
            for (platform, base) in known.bases {
                let parent = Self.parent(base, own, named)
                var below = parent?.manifests[platform]
                if case .image(let reference) = base, parent == nil { below = foreign[reference]?[platform]?.digest }
                guard let below, let digest = image.manifests[platform], below != digest,
                    let newest = try await packages(of: below)?.newest, let installed = try await packages(of: digest),
                    installed.contains(where: { package in newest[package.line].map { package.evr < $0 } ?? false })
                else { continue }
                digests.insert(below)
                if let parent { parents.insert(parent.id) }
            }
            guard !digests.isEmpty, !parents.contains(where: { own[$0]?.hasOpenBuild ?? false }) else { continue }
            changes.append(BaseChange(image: known.id, cause: .bases(digests), parents: parents))
        }
        return changes
    }

    /// The image of this service that a base is, if the base moves with its builds.
    private static func parent(
        _ base: KnownImage.Base, _ own: [Int: FollowedImage], _ named: NamedImages
    ) -> FollowedImage? {
        switch base {
        case .own(let id): own[id]
        case .image(let reference): reference.digest == nil ? named.image(reference) : nil
        case .scratch, .unknown: nil
        }
    }
}

/// The images of this service by their names. One repository can have several artifacts, each with a
/// moving tag of its own.
private struct NamedImages {
    private let images: [ImageRepository: [FollowedImage]]

    init(_ images: [FollowedImage]) { self.images = Dictionary(grouping: images, by: \.repository) }

    func has(_ repository: ImageRepository) -> Bool { images[repository] != nil }

    /// Returns the image whose builds move the tag of a reference.
    func image(_ reference: ImageReference) -> FollowedImage? {
        let tag = reference.withDefaultTag.tag?.text ?? ImageTag.latest.text
        return images[reference.repository]?.first { $0.movingTags.contains(tag) }
    }
}
