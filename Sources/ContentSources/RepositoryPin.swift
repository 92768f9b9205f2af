public import Repodata

/// A repository as it was at one moment, by the checksum of its repomd.xml; since that file holds the checksums of all other metadata, equal pins
/// mean equal repositories.
public struct RepositoryPin: Hashable, Sendable {
    public let location: RepositoryLocation
    /// SHA-256 of repomd.xml.
    public let checksum: Checksum
    /// The bytes of repomd.xml where they were just read; `nil` for a pin that was written down earlier.
    public let repomd: [UInt8]?

    /// A pin that was written down earlier, for example by the compose that is being renewed.
    public init(recorded checksum: Checksum, of location: RepositoryLocation) {
        self.location = location
        self.checksum = checksum
        repomd = nil
    }

    init(_ location: RepositoryLocation, _ checksum: Checksum, repomd: [UInt8]) {
        self.location = location
        self.checksum = checksum
        self.repomd = repomd
    }
}
