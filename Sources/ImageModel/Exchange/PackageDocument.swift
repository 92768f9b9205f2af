/// A package of an image in the form of the API.
public struct PackageDocument: Hashable, Sendable, Codable, CustomStringConvertible {
    public var name: String
    public var epoch: Int
    public var version: String
    public var release: String
    public var arch: String
    /// The source RPM. Example: `openssl-3.0.7-28.el9.src.rpm`.
    @OrNull public var source: String?
    /// The module and stream. Example: `nodejs:18`.
    @OrNull public var module: String?

    public init(_ package: InstalledPackage) {
        name = package.name
        epoch = package.evr.epoch
        version = package.evr.version
        release = package.evr.release
        arch = package.arch
        source = package.source
        module = package.module
    }

    public var evr: EVR { EVR(epoch: epoch, version: version, release: release) }

    /// For example `openssl-libs-1:3.0.7-28.el9.x86_64`.
    public var description: String { "\(name)-\(evr).\(arch)" }
}
