public import Compression
public import SystemPackage

/// The metadata of one repository at one moment. It is complete, checked against its repomd.xml,
/// decompressed, and stored on this host's disk.
///
/// Unless ``base`` is set, ``directory`` contains `repomd.xml` and `primary.xml`. It also contains
/// `filelists.xml`, `other.xml` and `modules.yaml` if the repository has them. It is written once,
/// under a name made of ``id``, and never changes. A program that derives a file from the
/// documents, such as an index or a `.solv` file, may keep the file beside them.
public struct RepositoryMetadata: Hashable, Sendable {
    /// The SHA-256 of repomd.xml. That file holds the checksums of all others, so equal ids mean equal
    /// repositories.
    public let id: Checksum
    public let directory: FilePath
    public let hasFilelists: Bool
    public let hasOther: Bool
    public let hasModules: Bool
    /// The ``id`` of the base, if the metadata is kept as a layer over another revision of the
    /// repository.
    ///
    /// The documents in the directory of a layer are those of the base. The directory also has the
    /// changes, for example `primary.changes` (``DocumentChanges``).
    public let base: Checksum?
    /// The place that the repository was read from.
    public let place: Place

    /// The place of a repository. All places are equal, so that equal metadata of two places is equal.
    public struct Place: Hashable, Sendable {
        /// The name of the place. `nil` if no later revision can be expected there.
        public let name: String?

        public static func == (a: Place, b: Place) -> Bool { true }

        public func hash(into hasher: inout Hasher) {}
    }

    public init(
        id: Checksum, directory: FilePath, hasFilelists: Bool, hasOther: Bool, hasModules: Bool = false, base: Checksum? = nil,
        place: String? = nil
    ) {
        self.id = id
        self.directory = directory
        self.hasFilelists = hasFilelists
        self.hasOther = hasOther
        self.hasModules = hasModules
        self.base = base
        self.place = Place(name: place)
    }

    /// The name of the place, or the id if later revisions cannot be expected. All revisions of a
    /// repository have the same.
    public var placeOrID: String { place.name ?? id.hex }

    public var primary: FilePath { directory.appending("primary.xml") }
    public var filelists: FilePath? { hasFilelists ? directory.appending("filelists.xml") : nil }
    public var other: FilePath? { hasOther ? directory.appending("other.xml") : nil }
    /// The documents about modules.
    public var modules: FilePath? { hasModules ? directory.appending("modules.yaml") : nil }
}
