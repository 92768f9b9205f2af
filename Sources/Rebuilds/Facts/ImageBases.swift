import ComposeStore
import Containerfiles
import ImageModel

/// The *image bases* are the images that some images build on. They are found in Containerfiles, in the
/// pins of earlier builds, and by comparing layers.
struct ImageBases {
    private(set) var images: [KnownImage] = []
    /// The images whose base is not known by their Containerfile or pins.
    private(set) var withoutBase: Set<Int> = []

    init(_ facts: PlanningFacts) {
        for image in facts.images {
            let known = Self.known(image, pins: facts.pins[image.id], origins: facts.origins[image.id] ?? [:])
            images.append(known)
            if known.bases.values.contains(.unknown) { withoutBase.insert(known.id) }
        }
    }

    /// The references that the images begin with, whichever service builds them.
    var references: Set<ImageReference> {
        Set(
            images.flatMap(\.bases.values).compactMap { base in
                if case .image(let reference) = base { reference } else { nil }
            })
    }

    /// Finds the bases of images without a known Containerfile. An image builds on the one whose layers are
    /// the longest beginning of its own.
    mutating func find(among layers: [ImageLayers]) {
        struct Place: Hashable {
            let platform: Platform
            let layers: [ImageDigest]
        }
        var owners: [Place: Int] = [:]
        for entry in layers where !entry.layers.isEmpty { owners[Place(platform: entry.platform, layers: entry.layers)] = entry.image }
        for entry in layers where entry.isInUse && withoutBase.contains(entry.image) {
            guard let index = images.firstIndex(where: { $0.id == entry.image }), images[index].bases[entry.platform] == .unknown else {
                continue
            }
            let parent = (1..<max(entry.layers.count, 1)).reversed().lazy
                .compactMap { owners[Place(platform: entry.platform, layers: Array(entry.layers.prefix($0)))] }
                .first { $0 != entry.image }
            if let parent { images[index].bases[entry.platform] = .own(parent) }
        }
    }

    private static func base(_ origin: StepOrigin) -> KnownImage.Base {
        guard let text = origin.base else { return .scratch }
        // It was written as a reference.
        return (try? ImageReference(text)).map(KnownImage.Base.image) ?? .unknown
    }

    private static func known(_ image: Image, pins: BuildPins?, origins: [Platform: StepOrigin]) -> KnownImage {
        let definition = image.definition
        var known = KnownImage(
            id: image.id, repository: image.repository, isAloneInRepository: image.isAloneInRepository, upgrades: definition.update)
        // The keys were written as references. One that is none any more cannot be a base.
        let pinned = Set((pins?.images.keys).map { $0.compactMap { try? ImageReference($0) } } ?? [])
        guard case .containerfile(let text) = definition.source, let file = try? Containerfile(text, dialect: .ofService) else {
            // A Containerfile that cannot be read fails its build, which says why. A build of an older version
            // has no origin. Of several images that a Containerfile names, the pins do not tell which one is
            // the base.
            let base: KnownImage.Base = pinned.count == 1 ? pinned.first.map(KnownImage.Base.image) ?? .unknown : .unknown
            for platform in definition.platforms { known.bases[platform] = origins[platform].map(Self.base) ?? base }
            known.upgrades = definition.update || origins.values.contains(where: \.upgrades)
            known.others = pinned
            return known
        }
        known.upgrades = definition.update || file.mentionsUpgrade
        for platform in definition.platforms {
            let arguments = BuildArguments(definition.arguments, platform: platform)
            do {
                let base = try file.finalBase(arguments: arguments)
                known.bases[platform] = base.map(KnownImage.Base.image) ?? .scratch
                known.others.formUnion(try file.imagesNamed(arguments: arguments).map(\.reference))
            } catch {
                // A build of this image fails, and says why.
                known.bases[platform] = .unknown
            }
        }
        return known
    }
}
