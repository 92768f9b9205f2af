import Foundation
import ImageArchive
import ImageModel
import NIOCore
import NIOPosix
import Registry
import Synchronization
import SystemPackage

/// A context spool keeps an uploaded context in a file until all of it has arrived, and checks it
/// meanwhile. The file has no name, so it is gone when the spool is.
final class ContextSpool: Sendable {
    private struct State {
        let reader: BuildContextReader
        var digest = RunningDigest()

        init(_ kind: BuildContextReader.Kind, limit: Int) {
            let names = kind == .context ? ContextArtifact.containerfileNames : []
            var limits = BuildContextReader.Limits()
            limits.plainBytes = limit
            reader = BuildContextReader(
                containerfileNames: names, mostBytes: ManifestDocument.mostBytes / 4, of: kind, limits: limits)
        }
    }

    private let file: SystemPackage.FileDescriptor
    private let state: Mutex<State>

    var content: FileContent { FileContent(file) }

    /// - Parameter limit: The most bytes of the uncompressed archive. Workers have the same limit.
    init(in directory: FilePath, of kind: BuildContextReader.Kind = .context, limit: Int) throws {
        state = Mutex(State(kind, limit: limit))
        let path = directory.appending("odcs-context-\(UUID())")
        file = try SystemPackage.FileDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
        // No other program can open the file, and nothing is left if the process ends.
        _ = unlink(path.string)
    }

    deinit {
        // The file has no name, so nothing can be lost.
        try? file.close()
    }

    /// Appends bytes, off the event loop.
    ///
    /// - Throws: `ImageArchiveError` for an archive that is not accepted.
    func append(_ bytes: ByteBuffer) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try self.state.withLock { state in
                try bytes.withUnsafeReadableBytes { bytes in
                    state.digest.update(bytes)
                    try state.reader.read(bytes)
                    _ = try self.file.writeAll(bytes)
                }
            }
        }
    }

    /// Ends the archive, and returns its digest and its Containerfile.
    func finish() async throws -> (archive: Descriptor, containerfile: [UInt8]?) {
        try await NIOThreadPool.singleton.runIfActive {
            try self.state.withLock { state in
                let summary = try state.reader.finish()
                let archive = Descriptor(mediaType: ContextArtifact.archive, digest: state.digest.digest, size: state.digest.count)
                return (archive, summary.containerfile)
            }
        }
    }
}
