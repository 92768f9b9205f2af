public import Compression

/// One RPM of one repository, with enough information to find its metadata and its file.
public struct PackageRecord: Hashable, Sendable, Codable {
    public let nevra: NEVRA
    /// The `pkgid` of rpm-md. It is the checksum of the RPM file, and the key of its metadata in every
    /// document of the repository.
    public let pkgid: Checksum
    /// The repository that has it, by ``RepositoryMetadata/id``.
    public let repository: Checksum
    /// `location href`: the file's path relative to ``base``. Example: `packages/ed-1-1.x86_64.rpm`.
    public let location: String
    /// `xml:base`, if the repository sets one for this package. Otherwise the file lies below the
    /// repository itself.
    public let base: String?
    /// The size of the RPM file in bytes, as the repository reports it, or 0 if it does not.
    public let size: Int
    /// The file name of the source RPM that it was built from, or `nil` for a source RPM. Example:
    /// `ed-1.20-3.src.rpm`.
    public let sourceRPM: String?

    /// The size of the RPM file in bytes, or `nil` if the repository does not report it.
    public var knownSize: Int? { size > 0 ? size : nil }

    public init(
        nevra: NEVRA, pkgid: Checksum, repository: Checksum, location: String, base: String? = nil, size: Int, sourceRPM: String?
    ) {
        self.nevra = nevra
        self.pkgid = pkgid
        self.repository = repository
        self.location = location
        self.base = base
        self.size = size
        self.sourceRPM = sourceRPM
    }
}
