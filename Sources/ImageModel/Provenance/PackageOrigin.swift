/// An *image below* is an image whose layers are a beginning of those of another one.
public struct ImageBelow: Hashable, Sendable {
    public var digest: ImageDigest
    /// The number of its layers.
    public var layers: Int
    /// The builds of the package that it has. Nil if its contents are not known.
    public var packages: [InstalledPackage]?
    /// The name for people: the repository, or the reference of a base of somewhere else. Nil if this
    /// service knows it by no name any more.
    public var name: String?
    /// The build of this service that made it.
    public var build: Int?

    public init(digest: ImageDigest, layers: Int, packages: [InstalledPackage]?, name: String?, build: Int?) {
        self.digest = digest
        self.layers = layers
        self.packages = packages
        self.name = name
        self.build = build
    }
}

/// A *package origin* is the image by which a package came into another one, and the layers that may
/// have brought it.
public struct PackageOrigin: Hashable, Sendable {
    public var package: InstalledPackage
    /// The lowest image that has this very build of the package.
    public var image: ImageBelow
    /// The uncompressed layers of which one brings the package. They are those that the image has above the
    /// next image below it.
    public var layers: [ImageDigest]

    /// Finds the origin of a package.
    ///
    /// - Parameters:
    ///   - contents: The contents of the image that has the package.
    ///   - below: The images below it, and the image itself, in any order.
    /// - Returns: `nil` if none of the images has the package.
    public init?(of package: InstalledPackage, in contents: Contents, below: [ImageBelow]) {
        // From the top down. Of images with the same layers, the one that was built first comes last.
        let sorted = below.filter { $0.layers <= contents.layers.count }
            .sorted { ($0.layers, $0.build ?? .max) > ($1.layers, $1.build ?? .max) }
        var origin: ImageBelow?
        var floor = 0
        for image in sorted {
            // An image whose packages are not known neither has the package for sure, nor lacks it.
            guard let packages = image.packages else { continue }
            guard packages.contains(where: { $0.line == package.line && $0.evr == package.evr }) else {
                if image.layers < origin?.layers ?? .max {
                    floor = image.layers
                    break
                }
                continue
            }
            origin = image
        }
        guard let origin else { return nil }
        self.package = package
        image = origin
        layers = Array(contents.layers[floor..<origin.layers])
    }
}
