public import Repodata

/// The packages that go into a compose, as the files that they are: metadata to write from, with the checksums of those files.
public struct ChosenPackages: Sendable {
    public let repository: PinnedRepository
    /// By ``KojiPackage/provisionalID``.
    public let copies: [Checksum: PackageCopy]
    /// What the metadata says that the files lie below (`xml:base`), where it refers to them.
    public let base: String?

    /// The record of the file that stands for `record`, which is one of the metadata for solving; `nil` for a package that was not chosen.
    public func record(for record: PackageRecord) -> PackageRecord? {
        guard let copy = copies[record.pkgid], let pkgid = copy.sha256 else { return nil }
        return PackageRecord(
            nevra: record.nevra, pkgid: pkgid, repository: repository.metadata.id, location: copy.path, base: base,
            size: copy.size, sourceRPM: record.sourceRPM)
    }
}
