import ImageModel

/// An error: images that steps have pushed are gone from the registry, so the manifest list cannot be
/// written. Their platforms are done again.
struct GoneImages: Error {
    var images: [Platform: ImageDigest]

    /// The failure of the build if one of the platforms has no attempt left.
    var failure: BuildFailure {
        let names = images.sorted { $0.key < $1.key }.map { "\($0.key), \($0.value)" }
        return BuildFailure(
            .registryRefused,
            "The registry lost \(names.count == 1 ? "the image for" : "the images for") \(names.joined(separator: "; ")) before the manifest list "
                + "was written. Find the program that deletes images there, and build the image again.")
    }
}
