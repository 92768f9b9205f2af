public import ComposeStore
public import ImageModel

/// The *foreign bases* are the images that images of this service build on and that it does not build,
/// for example those of a vendor.
public struct ForeignBases: Sendable {
    /// The platforms for which images build on each base.
    public let platforms: [ImageReference: Set<Platform>]

    /// Finds the foreign bases of some images. A base that only the layers tell is an image of this
    /// service, so layers are not compared.
    public init(of images: Set<Int>, in store: ComposeStore) async throws {
        var platforms: [ImageReference: Set<Platform>] = [:]
        for image in ImageBases(try await store.planningFacts(about: images)).images {
            for case (let platform, .image(let reference)) in image.bases { platforms[reference, default: []].insert(platform) }
        }
        let own = try await store.repositoriesBuilt(among: Set(platforms.keys.map(\.repository)))
        self.platforms = platforms.filter { !own.contains($0.key.repository) }
    }
}
