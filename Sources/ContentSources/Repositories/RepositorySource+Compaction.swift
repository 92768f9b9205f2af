import NIOPosix
public import Repodata
import SystemPackage

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
    /// - Returns: Whether the metadata is whole now. `false` also if the layer is in use or gone, or if
    ///   another process compacts.
    /// - Throws: An error of the disk or of a document, or `CancellationError`. The layer is as before
    ///   then, or whole without being the base of later revisions.
    public func compact(_ layer: RepositoryMetadata, complete: @escaping @Sendable (RepositoryMetadata) -> Void) async throws -> Bool {
        guard limits.keepsLayers, let place = layer.place.name else { return false }
        let cache = cache
        let hold = try await threadPool.runIfActive { () throws -> MetadataHold? in
            guard try Self.isWorthwhile(layer, at: place, in: cache) else { return nil }
            return cache.holdOfCompaction()
        }
        guard let hold else { return false }
        defer { withExtendedLifetime(hold) {} }
        let fresh = try await threadPool.runIfActive { try cache.prepare() }
        do {
            // Each step is waited for when the service ends. Between the steps it can end.
            guard let whole = try await threadPool.runIfActive({ try Self.write(layer, at: place, in: cache, to: fresh) }) else {
                await discard(fresh)
                return false
            }
            try await threadPool.runIfActive { complete(whole) }
            return try await threadPool.runIfActive {
                guard try cache.replaceLayer(by: fresh, as: whole.id) else { return false }
                try cache.record(whole.id, of: place, isBase: true)
                return true
            }
        } catch {
            await discard(fresh)
            throw error
        }
    }

    private static func isWorthwhile(_ layer: RepositoryMetadata, at place: String, in cache: MetadataCache) throws -> Bool {
        // If another process has recorded a later revision or another base, it is more useful than this one.
        guard let base = layer.base, cache.isLatest(layer.id, over: base, of: place) else { return false }
        guard let found = try cache.find(layer.id, of: place) else { return false }
        return try withExtendedLifetime(found.hold) { try found.metadata.changedPart > leastChanged }
    }

    /// Writes the documents of a layer into the new directory `fresh`, and makes their index. Returns `nil`
    /// if the layer is gone.
    private static func write(
        _ layer: RepositoryMetadata, at place: String, in cache: MetadataCache, to fresh: FilePath
    ) throws -> RepositoryMetadata? {
        guard let found = try cache.find(layer.id, of: place) else { return nil }
        defer { withExtendedLifetime(found.hold) {} }
        let old = found.metadata
        let whole = RepositoryMetadata(
            id: old.id, directory: fresh, hasFilelists: old.hasFilelists, hasOther: old.hasOther, hasModules: old.hasModules, place: place)
        try old.writeDocuments(to: fresh)
        try RegularFile.write(found.repomd, to: fresh.appending("repomd.xml"))
        if let modules = old.modules {
            try RegularFile.write(RegularFile.contents(of: modules), to: fresh.appending("modules.yaml"))
        }
        _ = try MetadataIndex(opening: whole)
        return whole
    }
}
