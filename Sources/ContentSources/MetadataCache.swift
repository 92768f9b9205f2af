import Foundation
import Glibc
import Repodata
import SystemPackage

/// The metadata of repositories on this host's disk: one directory for each repomd.xml, named by its SHA-256 and complete from its first moment.
///
/// Any number of workers and processes use it at once: each prepares a directory of its own and gives it its name by one rename. Whoever is
/// first wins, and the others take what is there. All methods block.
struct MetadataCache: Sendable {
    /// Of directories under preparation; one that is older than ``abandonedAfter`` was left by a process that died.
    private static let preparing = ".preparing-"
    private static let abandonedAfter = 24.0 * 3600

    let directory: FilePath

    /// The metadata whose repomd.xml has the checksum `id`, and the bytes of that file.
    func find(_ id: Checksum) throws(Errno) -> (metadata: RepositoryMetadata, repomd: [UInt8])? {
        guard let place = place(of: id) else { return nil }
        let repomd: [UInt8]
        do {
            repomd = try RegularFile.contents(of: place.appending("repomd.xml"))
        } catch .noSuchFileOrDirectory {
            return nil
        }
        let metadata = RepositoryMetadata(
            id: id, directory: place, hasFilelists: place.appending("filelists.xml").exists, hasOther: place.appending("other.xml").exists)
        return (metadata, repomd)
    }

    /// A new, empty directory for ``publish(_:as:)``.
    func prepare() throws(Errno) -> FilePath {
        try directory.createDirectory()
        removeAbandoned()
        let fresh = directory.appending(Self.preparing + UUID().uuidString)
        try fresh.createDirectory()
        return fresh
    }

    /// Makes the finished directory `fresh` the metadata of `id`, or drops it where another one was faster.
    func publish(_ fresh: FilePath, as id: Checksum) throws(Errno) {
        guard let place = place(of: id) else { throw .invalidArgument }
        for document in ["repomd.xml", "primary.xml", "filelists.xml", "other.xml"] {
            // The name must not survive a power failure without the bytes.
            do { try RegularFile.synchronize(fresh.appending(document)) } catch .noSuchFileOrDirectory {}
        }
        guard rename(fresh.string, place.string) != 0 else { return }
        switch Errno(rawValue: errno) {
        case .directoryNotEmpty, .fileExists: try discard(fresh)
        case let error: throw error
        }
    }

    /// Removes a directory that will not be published.
    func discard(_ fresh: FilePath) throws(Errno) {
        do {
            try FileManager.default.removeItem(atPath: fresh.string)
        } catch let error as CocoaError where error.code == .fileNoSuchFile {
            return
        } catch {
            throw .ioError
        }
    }

    private func place(of id: Checksum) -> FilePath? {
        guard id.algorithm == .sha256, id.hex.utf8.count == 64, id.hex.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return directory.appending(id.hex)
    }

    /// Best effort: what cannot be removed now is tried again the next time.
    private func removeAbandoned() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        for name in names where name.hasPrefix(Self.preparing) {
            let path = directory.appending(name)
            guard let status = try? path.stat(), Date().timeIntervalSince1970 - Double(status.st_mtim.tv_sec) > Self.abandonedAfter else { continue }
            try? FileManager.default.removeItem(atPath: path.string)
        }
    }
}
