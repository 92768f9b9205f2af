public import SystemPackage

/// The metadata of one repository at one moment: complete, checked against its repomd.xml, decompressed, on this host's disk.
///
/// ``directory`` holds `repomd.xml`, `primary.xml`, and `filelists.xml`, `other.xml` and `modules.yaml` as far as the repository has them. It is written
/// once, under a name made of ``id``, and never changes; whoever derives something from the documents (an index, a `.solv` file) may keep
/// it beside them.
public struct RepositoryMetadata: Hashable, Sendable {
    /// The SHA-256 of repomd.xml. Since that file holds the checksums of all others, equal ids mean equal repositories.
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
    /// What it tells of modules.
    public var modules: FilePath? { hasModules ? directory.appending("modules.yaml") : nil }
}
