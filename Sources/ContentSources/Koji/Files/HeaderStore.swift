import ComposeModel
import Compression
import Repodata
import SystemPackage

/// A permanent store of data from Koji's packages, which all workers share. A package's header is read
/// only once ever, and a file is read only once for its checksum.
///
/// A header's key has only data that signing does not change, so all copies of a package share one
/// entry. The key of a file's checksum has the copy, and data that shows that the file is still the
/// same. All methods block.
struct HeaderStore: Sendable {
    /// The version of the stored format. It is part of each key, and grows when the program writes entries
    /// differently.
    private static let version = 1

    private let values: SegmentStore

    init(directory: FilePath) {
        values = SegmentStore(directory: directory)
    }

    /// Reads the entries that other workers have added.
    func refresh() throws(ComposeFailure) { try storing { () throws(RepodataError) in try values.refresh() } }

    /// Returns the key of the header of `package`.
    ///
    /// The file of a task is identified by its place, because the hub gives a task's number to only one
    /// task.
    static func key(of package: KojiPackage, at location: RepositoryLocation) -> Checksum {
        .ofText("header \(version)\n\(identity(package, at: location))")
    }

    func fragments(_ key: Checksum) -> PackageFragments? { values.value(of: key).flatMap { PackageFragments(serialized: $0) } }

    func keep(_ headers: [Checksum: PackageFragments]) throws(ComposeFailure) {
        try storing { () throws(RepodataError) in try values.add(headers.mapValues(\.serialized)) }
    }

    /// Returns the SHA-256 of a file that was read before. Returns `nil` if the file may have changed
    /// since.
    func checksum(of copy: PackageCopy, at location: RepositoryLocation) -> Checksum? {
        guard let key = Self.key(of: copy, at: location), let value = values.value(of: key) else { return nil }
        return Checksum(String(decoding: value, as: UTF8.self))
    }

    /// Stores the checksums of the files that can be recognized later.
    func keep(_ checksums: [PackageCopy: Checksum], at location: RepositoryLocation) throws(ComposeFailure) {
        var found: [Checksum: [UInt8]] = [:]
        for (copy, sha256) in checksums {
            if let key = Self.key(of: copy, at: location) { found[key] = Array(sha256.description.utf8) }
        }
        try storing { () throws(RepodataError) in try values.add(found) }
    }

    private static func key(of copy: PackageCopy, at location: RepositoryLocation) -> Checksum? {
        copy.version.map {
            .ofText("file \(version)\n\(identity(copy.package, at: location))\n\(copy.key)\n\(copy.size) \(copy.headerStart) \($0)")
        }
    }

    private static func identity(_ package: KojiPackage, at location: RepositoryLocation) -> String {
        package.payloadHash.map { "\($0)\n\(package.nevra)" } ?? "\(location)\n\(package.path)"
    }

    private func storing<Result>(_ body: () throws(RepodataError) -> Result) throws(ComposeFailure) -> Result {
        do throws(RepodataError) {
            return try body()
        } catch {
            throw .storage(
                "What was read of packages could not be kept: \(error.message). The operator of this service can help.")
        }
    }
}
