public import ComposeModel
import Compression
public import Modules
import Repodata
import Synchronization
import SystemPackage

extension RepositorySource {
    /// Returns the modules of the repository. The result is empty if the repository has no modules.yaml.
    ///
    /// A large modules.yaml takes a second to read. The results for the most recently used repositories are
    /// kept in memory.
    ///
    /// Documents that libmodulemd does not understand are skipped. They are listed in
    /// ``Modules/ModuleMetadata/unusable``.
    public func modules(of repository: PinnedRepository) async throws(ComposeFailure) -> ModuleMetadata {
        guard let file = repository.metadata.modules else { return ModuleMetadata() }
        if let known = knownModules.find(repository.metadata.id) { return known.of(repository.place) }
        let modules = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            let bytes = try ComposeFailure.storing { () throws(Errno) in try RegularFile.contents(of: file) }
            return ModuleMetadata(soundDocumentsOf: String(decoding: bytes, as: UTF8.self))
        }
        knownModules.keep(modules, of: repository.metadata.id)
        return modules.of(repository.place)
    }
}

/// The modules of the most recently used repositories, by the checksums of their repomd.xml.
final class KnownModules: Sendable {
    /// The number of repositories to keep. The largest repositories take about a hundred megabytes each.
    private static let most = 4

    /// The entries in the order of their last use. The most recently used one is last.
    private let entries: Mutex<[(id: Checksum, modules: ModuleMetadata)]> = Mutex([])

    func find(_ id: Checksum) -> ModuleMetadata? {
        entries.withLock { entries in
            guard let place = entries.firstIndex(where: { $0.id == id }) else { return nil }
            let entry = entries.remove(at: place)
            entries.append(entry)
            return entry.modules
        }
    }

    func keep(_ modules: ModuleMetadata, of id: Checksum) {
        entries.withLock { entries in
            entries.removeAll { $0.id == id }
            entries.append((id, modules))
            if entries.count > Self.most { entries.removeFirst() }
        }
    }
}
