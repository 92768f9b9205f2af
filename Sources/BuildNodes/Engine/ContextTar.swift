import Foundation
import ImageArchive
import SystemPackage

/// A *context tar* is a directory with a Containerfile as one tar, as an engine takes it. All files
/// belong to root.
///
/// `COPY . /` does not copy the Containerfile, because a file says that it is ignored. podman reads
/// that file beside the Containerfile. docker knows only `.dockerignore`, which gets two more lines.
struct ContextTar {
    private let directory: FilePath
    private let containerfile: String
    private let name: String
    private let isForPodman: Bool

    /// The files with the names that COPY ignores. podman reads the first one that exists.
    private static let (containerIgnore, dockerIgnore) = (".containerignore", ".dockerignore")

    /// - Parameters:
    ///   - containerfile: The text of the Containerfile.
    ///   - name: Its name in the tar. A file of the directory with this name is left out.
    ///   - isForPodman: Whether the engine is podman, and not docker.
    init(_ directory: FilePath, containerfile: String, named name: String, isForPodman: Bool) {
        self.directory = directory
        self.containerfile = containerfile
        self.name = name
        self.isForPodman = isForPodman
    }

    /// The files that are no files of the directory, by their names.
    private func own() throws -> [String: String] {
        var ignored = "\n\(name)*\n"
        if isForPodman {
            let text = try text(of: Self.containerIgnore) ?? text(of: Self.dockerIgnore) ?? ""
            return [name: containerfile, name + Self.dockerIgnore: text + ignored]
        }
        let text = try text(of: Self.dockerIgnore)
        if text == nil { ignored += "\(Self.dockerIgnore)\n" }
        return [name: containerfile, Self.dockerIgnore: (text ?? "") + ignored]
    }

    /// Returns the text of a file, or nil without such a file. A link is no file.
    private func text(of name: String) throws -> String? {
        let file = directory.appending(name)
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: file.string)
        } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
            return nil
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else { return nil }
        return String(decoding: try Data(contentsOf: URL(filePath: file.string)), as: UTF8.self)
    }

    func write(to file: FilePath) throws {
        let sink = try FileSink(file)
        let writer = TarWriter(to: sink)
        do {
            let own = try own()
            for (name, text) in own.sorted(by: { $0.key < $1.key }) {
                let bytes = Array(text.utf8)
                try writer.add(TarEntry(file: name, size: bytes.count), bytes)
            }
            guard let entries = FileManager.default.enumerator(atPath: directory.string) else { throw Errno.noSuchFileOrDirectory }
            // A context has no other files than folders, files and links, because its reader refuses them.
            for case let path as String in entries where own[path] == nil {
                _ = try writer.add(directory.pushing(FilePath(path)), as: path)
            }
            try writer.finish()
            try sink.close()
        } catch let error as Errno {
            throw NodeFailure(.node, "The context cannot be read: \(error.description.lowercased()).")
        } catch let error as ImageArchiveError {
            throw NodeFailure(error.code == .io ? .diskFull : .node, "The context cannot be sent. \(error.message)")
        }
    }

    private final class FileSink: ByteSink {
        private let descriptor: FileDescriptor

        init(_ path: FilePath) throws {
            descriptor = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
            do {
                _ = try descriptor.writeAll(bytes)
            } catch {
                throw ImageArchiveError(
                    .io, "The disk of the worker cannot be written: \((error as? Errno)?.description ?? "unknown error").")
            }
        }

        func close() throws { try descriptor.close() }
    }
}
