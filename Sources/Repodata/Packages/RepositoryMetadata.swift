public import Compression
public import SystemPackage

/// The metadata of one repository at one moment. It is complete, checked against its repomd.xml,
/// decompressed, and stored on this host's disk.
///
/// ``directory`` contains `repomd.xml` and `primary.xml`. It also contains `filelists.xml`, `other.xml`
/// and `modules.yaml` if the repository has them. It is written once, under a name made of ``id``, and
/// never changes. A program that derives a file from the documents, such as an index or a `.solv` file,
/// may keep the file beside them.
public struct RepositoryMetadata: Hashable, Sendable {
    /// The SHA-256 of repomd.xml. That file holds the checksums of all others, so equal ids mean equal
    /// repositories.
    public let id: Checksum
    public let directory: FilePath
    public let hasFilelists: Bool
    public let hasOther: Bool
    public let hasModules: Bool

    public init(id: Checksum, directory: FilePath, hasFilelists: Bool, hasOther: Bool, hasModules: Bool = false) {
        self.id = id
        self.directory = directory
        self.hasFilelists = hasFilelists
        self.hasOther = hasOther
        self.hasModules = hasModules
    }

    public var primary: FilePath { directory.appending("primary.xml") }
    public var filelists: FilePath? { hasFilelists ? directory.appending("filelists.xml") : nil }
    public var other: FilePath? { hasOther ? directory.appending("other.xml") : nil }
    /// The documents about modules.
    public var modules: FilePath? { hasModules ? directory.appending("modules.yaml") : nil }
}
