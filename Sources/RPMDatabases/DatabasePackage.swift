/// A *database package* is a package as the headers of an rpmdb have it.
public struct DatabasePackage: Hashable, Sendable {
    public var name: String
    public var epoch: Int
    public var version: String
    public var release: String
    public var arch: String
    /// The source RPM. Example: `openssl-3.0.7-28.el9.src.rpm`. Nil if the header names none.
    public var source: String?
    /// The module that the package belongs to: `NAME:STREAM:VERSION:CONTEXT`. Nil if it is not modular.
    public var modularityLabel: String?

    public init(
        name: String, epoch: Int, version: String, release: String, arch: String, source: String? = nil, modularityLabel: String? = nil
    ) {
        self.name = name
        self.epoch = epoch
        self.version = version
        self.release = release
        self.arch = arch
        self.source = source
        self.modularityLabel = modularityLabel
    }
}
