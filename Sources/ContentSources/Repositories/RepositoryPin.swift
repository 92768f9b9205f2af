public import Compression
import Repodata

/// A repository as it was at one moment, identified by the checksum of its repomd.xml.
///
/// That file contains the checksums of all other metadata. So equal checksums mean equal repositories.
public struct RepositoryPin: Hashable, Sendable {
    public let location: RepositoryLocation
    /// The SHA-256 of repomd.xml.
    public let checksum: Checksum
    /// The bytes of repomd.xml if they were just read. It is `nil` for a pin that was recorded earlier.
    public let repomd: [UInt8]?
    /// The content of ``repomd``.
    let content: Repomd?

    /// Creates a pin that was recorded earlier, for example by the compose that is being renewed.
    public init(recorded checksum: Checksum, of location: RepositoryLocation) {
        self.location = location
        self.checksum = checksum
        repomd = nil
        content = nil
    }

    /// Creates a pin of a repomd.xml that was just read.
    ///
    /// - Throws: The errors of `Repomd(parsing:)`.
    init(_ location: RepositoryLocation, repomd bytes: [UInt8]) throws(RepodataError) {
        let content = try Repomd(parsing: bytes)
        self.location = location
        self.content = content
        checksum = content.id
        repomd = bytes
    }
}
