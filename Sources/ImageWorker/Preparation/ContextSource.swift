import ComposeWorker
import Containerfiles
import ForeignText
import Foundation
import Glibc
import ImageArchive
import ImageModel
import NIOCore
import Registry
import SystemPackage

/// A *context source* fetches the Containerfile of an image and its context.
struct ContextSource {
    /// A Containerfile with the directory that COPY copies from.
    struct Context {
        let containerfile: String
        let directory: FilePath
        /// The commit of git that it comes from.
        let commit: String?
    }

    /// The limit for one fetch of a git repository.
    private static let gitTime = Duration.seconds(600)

    let configuration: ImageBuildConfiguration
    let registry: RegistryClient
    let log: StepLog

    /// - Parameters:
    ///   - commit: The commit that another step of the build uses.
    ///   - directory: A directory that does not exist yet.
    func fetch(_ source: ImageDefinition.Source, commit: String?, into directory: FilePath) async throws -> Context {
        switch source {
        case .containerfile(let text):
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
            return Context(containerfile: text, directory: directory, commit: nil)
        case .git(let url, let reference, let folder):
            // Git would refuse it at each attempt. A definition can be older than the check of the frontend.
            guard configuration.gitProtocols.contains(where: { url.hasPrefix("\($0)://") }) else {
                throw BuildFailure(.badContainerfile, "The context \(url.quoted) is not fetched. Its address must begin with https://.")
            }
            let commit = try await repository(url, in: directory).checkOut(commit ?? reference, into: directory)
            // The history is no part of the context.
            try FileManager.default.removeItem(atPath: directory.appending(".git").string)
            return try context(in: directory, folder: folder, commit: commit)
        case .archive(let digest):
            try await unpack(digest, into: directory)
            return try context(in: directory, folder: "", commit: nil)
        }
    }

    private func repository(_ url: String, in directory: FilePath) -> GitRepository {
        GitRepository(
            name: "the context \(url)", url: url, hidden: [(directory.string, "the context")],
            environment: ["GIT_ALLOW_PROTOCOL": configuration.gitProtocols.joined(separator: ":")],
            // A redirect could lead to an address that is not allowed.
            settings: ["http.followRedirects=false"], sizeLimit: configuration.contextBytes, timeLimit: Self.gitTime,
            log: { [log] in log.note($0) })
    }

    private func unpack(_ digest: ImageDigest, into directory: FilePath) async throws {
        let repository = configuration.contexts
        let tag = try ImageTag("\(digest.algorithm.rawValue)-\(digest.hex)")
        let document: ManifestDocument
        do throws(RegistryFailure) {
            document = try await registry.manifest(ImageReference(repository, tag: tag))
        } catch {
            guard error.code == .notFound else { throw error }
            throw BuildFailure(.badContainerfile, "The uploaded context \(digest) is no longer in the registry. Upload it again.")
        }
        guard case .manifest(let manifest) = document.content, let blob = manifest.layers.first(where: { $0.digest == digest }) else {
            throw BuildFailure(.badContainerfile, "The uploaded context \(digest) is no archive. Upload it again.")
        }
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        var limits = LayerLimits()
        limits.plainBytes = configuration.contextBytes
        limits.tar.bytes = configuration.contextBytes
        let unpacker = try LayerUnpacker(into: directory)
        unpacker.beginLayer()
        // The bytes themselves tell the compression.
        let reader = try LayerReader(
            Descriptor(mediaType: .ociGzipLayer, digest: digest, size: blob.size), limits: limits)
        try await registry.blob(blob, of: repository) { piece in
            try piece.withUnsafeReadableBytes { try reader.read($0, unpacker) }
        }
        _ = try reader.finish(unpacker)
        for note in unpacker.report.notes { log.note(note) }
    }

    /// Finds the Containerfile. No link of the context leads elsewhere.
    private func context(in root: FilePath, folder: String, commit: String?) throws -> Context {
        guard let directory = root.pushing(FilePath(folder).lexicallyNormalized()).realPath, let top = root.realPath,
            directory.starts(with: top)
        else {
            throw BuildFailure(.badContainerfile, "The context has no folder \(folder).")
        }
        for name in ["Containerfile", "Dockerfile"] {
            guard let text = try text(of: directory.appending(name)) else { continue }
            return Context(containerfile: text, directory: directory, commit: commit)
        }
        let place = folder.isEmpty ? "the context" : "the folder \(folder) of the context"
        throw BuildFailure(.badContainerfile, "There is neither a Containerfile nor a Dockerfile in \(place).")
    }

    /// Returns the text of a file, or nil without such a file. A link is no file.
    private func text(of path: FilePath) throws -> String? {
        var status = stat()
        guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard status.st_size <= Containerfile.mostBytes else {
            throw BuildFailure(.badContainerfile, "The Containerfile has more than \(Containerfile.mostBytes) bytes.")
        }
        return String(decoding: try Data(contentsOf: URL(filePath: path.string)), as: UTF8.self)
    }
}

extension FilePath {
    /// The path without links, or nil if there is no such file.
    fileprivate var realPath: FilePath? {
        guard let path = realpath(string, nil) else { return nil }
        defer { free(path) }
        return FilePath(platformString: path)
    }
}
