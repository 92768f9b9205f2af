import Compression
import Glibc
import NIOPosix
public import Repodata
import SystemPackage

/// The lock of the host's only compaction. It ends with this value.
private final class CompactionLock: Sendable {
    private let descriptor: FileDescriptor

    /// - Returns: `nil` if another process or another service compacts.
    init?(_ cache: FilePath) {
        // Without a lock, nothing is compacted. Nothing is lost but time.
        guard
            let descriptor = try? FileDescriptor.open(
                cache.appending("latest/.compaction"), .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        else { return nil }
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor.rawValue)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor.rawValue) }
}

/// Compaction: a layer with many differences is written as whole metadata, and is the base of later
/// revisions from then on.
extension RepositorySource {
    /// The part of the elements that must be new or gone. Below it, a compose from the layer takes hardly
    /// longer than one from its base.
    private static let leastChanged = 0.04

    /// Writes a layer as whole metadata, if many of its elements are new or gone. Only one process of the
    /// host does this at a time.
    ///
    /// - Parameter complete: Adds files that are derived from the documents, to whole metadata that no one
    ///   else uses yet. It may block.
    /// - Returns: Whether the metadata is whole now. `false` also if the layer is in use, or for any error.
    ///   The layer is as before then.
    public func compact(_ layer: RepositoryMetadata, complete: @escaping @Sendable (RepositoryMetadata) -> Void) async -> Bool {
        guard limits.keepsLayers, let place = layer.place.name else { return false }
        let cache = cache
        guard let lock = await attempt({ CompactionLock(cache.directory) }), let whole = await writeWhole(layer) else { return false }
        defer { withExtendedLifetime(lock) {} }
        // Each step is waited for when the service ends. Between the steps it can end.
        await attempt {
            complete(whole)
            return true
        }
        let isReplaced = await attempt {
            guard (try? cache.replaceLayer(by: whole.directory, as: whole.id)) == true else { return false }
            try? cache.record(whole.id, of: place, isBase: true)
            return true
        }
        if isReplaced != true { await threadPool.runAlways { try? cache.discard(whole.directory) } }
        return isReplaced == true
    }

    /// Writes the documents of a layer into a new directory, and makes their index. Returns `nil` if the
    /// layer has few differences, or for any error.
    private func writeWhole(_ layer: RepositoryMetadata) async -> RepositoryMetadata? {
        let cache = cache
        return await attempt {
            // If another process has recorded a later revision or another base, it is more useful than this one.
            guard let place = layer.place.name, let base = layer.base, cache.isLatest(layer.id, over: base, of: place),
                let found = try? cache.find(layer.id, of: place), let changed = try? found.metadata.changedPart,
                changed > Self.leastChanged, let fresh = try? cache.prepare()
            else { return nil }
            let old = found.metadata
            let whole = RepositoryMetadata(
                id: old.id, directory: fresh, hasFilelists: old.hasFilelists, hasOther: old.hasOther, hasModules: old.hasModules,
                place: old.place.name)
            do {
                try old.writeDocuments(to: fresh)
                try RegularFile.write(found.repomd, to: fresh.appending("repomd.xml"))
                if let modules = old.modules {
                    try RegularFile.write(RegularFile.contents(of: modules), to: fresh.appending("modules.yaml"))
                }
                _ = try MetadataIndex(opening: whole)
                return withExtendedLifetime(found.hold) { whole }
            } catch {
                try? cache.discard(fresh)
                return nil
            }
        }
    }

    /// Runs blocking work, if the task was not canceled.
    @discardableResult
    private func attempt<Success: Sendable>(_ body: @escaping @Sendable () -> Success?) async -> Success? {
        (try? await threadPool.runIfActive(body)) ?? nil
    }
}
