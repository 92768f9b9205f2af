import ComposeModel
import Repodata
import SystemPackage

/// What was read from packages of Koji, kept for good and shared by all workers: a package's header is read once ever, a file is read for its checksum
/// once.
///
/// A header is known by what signing does not change, so that all copies of a package share one entry. A file's checksum is known by the copy, and by
/// what shows that it is still the same file. All methods block.
struct HeaderStore: Sendable {
    /// Part of each key: what another version of this program would write differently gets another number.
    private static let version = 1

    private let values: SegmentStore

    init(directory: FilePath) {
        values = SegmentStore(directory: directory)
    }

    /// Looks for what other workers have added.
    func refresh() throws(ComposeFailure) { try storing { () throws(RepodataError) in try values.refresh() } }

    /// By what the header of `package` is kept.
    ///
    /// The file of a task is known by its place: the hub gives a task's number to no other task.
    static func key(of package: KojiPackage, at location: RepositoryLocation) -> Checksum {
        .ofText("header \(version)\n\(identity(package, at: location))")
    }

    func fragments(_ key: Checksum) -> PackageFragments? { values.value(of: key).flatMap { PackageFragments(serialized: $0) } }

    func keep(_ headers: [Checksum: PackageFragments]) throws(ComposeFailure) {
        try storing { () throws(RepodataError) in try values.add(headers.mapValues(\.serialized)) }
    }

    /// The SHA-256 of a file that was read before; `nil` for one that may be another by now.
    func checksum(of copy: PackageCopy, at location: RepositoryLocation) -> Checksum? {
        guard let key = Self.key(of: copy, at: location), let value = values.value(of: key) else { return nil }
        return Checksum(String(decoding: value, as: UTF8.self))
    }

    /// Keeps the checksums of those files that can be recognised.
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
                "What was read of packages could not be kept: \(error.message). This service's administrators have to look into it.")
        }
    }
}
