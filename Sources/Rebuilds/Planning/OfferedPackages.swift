public import ImageModel

/// The *offered packages* are the packages of a compose, by the base architecture of their repository.
///
/// An image gets packages only from the repository of its own architecture. For example, a `noarch`
/// package of the repository for `x86_64` is not offered to an image for `linux/arm64`.
public struct OfferedPackages: Hashable, Sendable {
    /// Example of a key: `x86_64`.
    public var packages: [String: [InstalledPackage]]

    public init(_ packages: [String: [InstalledPackage]]) {
        self.packages = packages
    }

    public var all: [InstalledPackage] { packages.keys.sorted().flatMap { packages[$0] ?? [] } }

    /// Returns the newest build of each package that an image for this platform can get.
    func newest(for platform: Platform) -> [PackageLine: EVR] {
        // An architecture of RPM that is no platform, such as src, is for no image.
        packages.filter { (try? Platform($0.key)).map { Self.serves($0, platform) } ?? false }.values.flatMap(\.self).newest
    }

    /// Whether packages of one architecture are for the other one. Variants such as `v2` of amd64 do not
    /// matter.
    private static func serves(_ repository: Platform, _ platform: Platform) -> Bool {
        repository.os == platform.os && repository.architecture == platform.architecture
    }
}
