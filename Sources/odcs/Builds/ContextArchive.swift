import Compression
import Foundation
import ImageArchive
import SystemPackage

/// A *context archive* is a tar of a folder, compressed with Zstandard, which is sent to the service as
/// a build context. Equal folders give equal archives: the entries are sorted, and have neither times
/// nor owners. Files that ``ContextIgnore`` names are not in it, except for the Containerfile.
struct ContextArchive {
    let file: FilePath
    let bytes: Int

    private static let mostFiles = 200_000
    private static let containerfiles = ["Containerfile", "Dockerfile"]

    /// Writes the archive of a folder to a new file.
    ///
    /// - Parameter containerfile: The text of the Containerfile, in place of that of the folder.
    /// - Throws: `CommandFailure` if the folder has anything but files, folders and symbolic links.
    init(of folder: FilePath, containerfile: String? = nil, in file: FilePath) throws {
        do {
            let sink = try FileSink(file)
            let writer = TarWriter(to: sink)
            if let containerfile {
                let bytes = Array(containerfile.utf8)
                try writer.add(TarEntry(file: "Containerfile", size: bytes.count), bytes)
            }
            for name in try Self.names(in: folder, without: ContextIgnore(of: folder)) where containerfile == nil || name != "Containerfile"
            {
                let path = folder.appending(name)
                guard try writer.add(path, as: name, permissions: .usual) else {
                    throw CommandFailure(.error, "\(path) is not a file, a folder or a link, so it cannot be in a build context")
                }
            }
            try writer.finish()
            try sink.close()
            self.file = file
            bytes = sink.count
        } catch let error as ImageArchiveError {
            throw CommandFailure(.error, error.message)
        } catch let error as Errno {
            throw CommandFailure(.error, "the folder \(folder) cannot be read: \(error.description.lowercased())")
        }
    }

    private static func names(in folder: FilePath, without ignore: ContextIgnore) throws -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: folder.string) else { throw Errno.noSuchFileOrDirectory }
        var names: [String] = []
        for case let name as String in entries {
            if ignore.leavesOut(name), !containerfiles.contains(name) {
                if !ignore.takesIn { entries.skipDescendants() }
                continue
            }
            names.append(name)
            guard names.count <= mostFiles else { throw CommandFailure(.error, "the folder \(folder) has more than \(mostFiles) files") }
        }
        return names.sorted()
    }

    /// A file that is written from its beginning to its end, and compressed.
    private final class FileSink: ByteSink {
        /// The number of bytes that are compressed in one step.
        private static let piece = 1 << 20

        private let descriptor: FileDescriptor
        private let encoder: ZstdEncoder
        private var pending: [UInt8] = []
        /// The number of compressed bytes.
        private(set) var count = 0

        init(_ path: FilePath) throws {
            descriptor = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerRead, .ownerWrite])
            encoder = try ZstdEncoder(level: 3)
        }

        func close() throws {
            try flush(isLast: true)
            try descriptor.close()
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
            pending.append(contentsOf: bytes)
            if pending.count >= Self.piece { try flush(isLast: false) }
        }

        private func flush(isLast: Bool) throws(ImageArchiveError) {
            guard let encoded = pending.withUnsafeBytes({ encoder.encode($0, isLast: isLast) }) else {
                throw ImageArchiveError(.io, "The build context cannot be compressed.")
            }
            pending.removeAll(keepingCapacity: true)
            do {
                count += try descriptor.writeAll(encoded)
            } catch {
                throw ImageArchiveError(.io, "The build context cannot be written: \((error as? Errno)?.description ?? "unknown error").")
            }
        }
    }
}
