public import Compression
public import Repodata

/// The files that go into a compose. They have metadata to write from, with the checksums of the files.
public struct ChosenPackages: Sendable {
    public let repository: PinnedRepository
    /// The files, by ``KojiPackage/provisionalID``.
    public let copies: [Checksum: PackageCopy]
    /// The address below which the metadata places the files (`xml:base`). `nil` if the metadata does not
    /// refer to them.
    public let base: String?

    /// Returns the record of the file for `record`, a record of the metadata for solving. Returns `nil` for
    /// a package that was not chosen.
    public func record(for record: PackageRecord) -> PackageRecord? {
        guard let copy = copies[record.pkgid], let pkgid = copy.sha256 else { return nil }
        return PackageRecord(
            nevra: record.nevra, pkgid: pkgid, repository: repository.metadata.id, location: copy.path, base: base,
            size: copy.size, sourceRPM: record.sourceRPM)
    }
}
