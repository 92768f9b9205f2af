import ImageModel
import Synchronization

/// A *document memory* keeps small documents that were read from registries: manifests, indexes and
/// configurations of images. A document with a digest never changes, so it need not be read again.
///
/// Documents are kept apart by repository, because not everyone who may read one repository may read
/// another one.
final class DocumentMemory: Sendable {
    private struct Key: Hashable {
        let repository: ImageRepository
        let digest: ImageDigest
    }

    private struct State {
        var manifests: [Key: ManifestDocument] = [:]
        var blobs: [Key: [UInt8]] = [:]
        var bytes = 0
    }

    /// The most bytes of one document, and of all.
    private static let mostOfOne = 64 << 10
    private let most: Int
    private let state = Mutex(State())

    init(most: Int = 8 << 20) { self.most = most }

    func manifest(_ digest: ImageDigest, in repository: ImageRepository) -> ManifestDocument? {
        state.withLock { $0.manifests[Key(repository: repository, digest: digest)] }
    }

    func note(_ document: ManifestDocument, in repository: ImageRepository) {
        note(document.bytes.count) {
            $0.manifests.updateValue(document, forKey: Key(repository: repository, digest: document.digest)) == nil
        }
    }

    func blob(_ digest: ImageDigest, in repository: ImageRepository) -> [UInt8]? {
        state.withLock { $0.blobs[Key(repository: repository, digest: digest)] }
    }

    func note(_ blob: [UInt8], _ digest: ImageDigest, in repository: ImageRepository) {
        note(blob.count) { $0.blobs.updateValue(blob, forKey: Key(repository: repository, digest: digest)) == nil }
    }

    /// - Parameter add: Keeps the document, and returns whether it is new.
    private func note(_ count: Int, _ add: (inout State) -> Bool) {
        guard count <= Self.mostOfOne else { return }
        state.withLock { state in
            // A full memory begins anew. Documents in use are soon there again.
            if state.bytes + count > most { state = State() }
            if add(&state) { state.bytes += count }
        }
    }
}
