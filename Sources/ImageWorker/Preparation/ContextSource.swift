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
            let commit = try await checkOut(url, commit ?? reference, named: "the context", into: directory)
            return try context(in: directory, folder: folder, commit: commit)
        case .archive(let digest):
            try await unpack(digest, into: directory)
            return try context(in: directory, folder: "", commit: nil)
        }
    }

    /// Fetches the files of a git repository, without its history.
    ///
    /// - Parameters:
    ///   - name: The name of the repository in messages. Example: `the context`.
    ///   - places: The addresses that are allowed besides those with an allowed protocol.
    /// - Returns: The name of the commit.
    func checkOut(
        _ url: String, _ revision: String, named name: String, allowing places: ArtifactSettings? = nil, into directory: FilePath
    ) async throws -> String {
        var protocols = configuration.gitProtocols
        if places?.allows(git: url) ?? false, let scheme = url.firstRange(of: "://").map({ String(url[..<$0.lowerBound]) }) {
            protocols.append(scheme)
        }
        // Git would refuse it at each attempt. A definition can be older than the check of the frontend.
        guard protocols.contains(where: { url.hasPrefix("\($0)://") }) else {
            throw BuildFailure(
                .badContainerfile, "\(name.capitalizingFirst) \(url.quoted) is not fetched. Its address must begin with https://.")
        }
        let repository = repository(url, named: name, protocols: protocols, in: directory)
        let commit = try await repository.checkOut(revision, into: directory)
        // The history is no part of the context.
        try FileManager.default.removeItem(atPath: directory.appending(".git").string)
        return commit
    }

    private func repository(_ url: String, named name: String, protocols: [String], in directory: FilePath) -> GitRepository {
        GitRepository(
            name: "\(name) \(url)", url: url, hidden: [(directory.string, name)],
            environment: ["GIT_ALLOW_PROTOCOL": protocols.joined(separator: ":")],
            // A redirect could lead to an address that is not allowed.
            settings: ["http.followRedirects=false"], sizeLimit: configuration.contextBytes, timeLimit: Self.gitTime,
            log: { [log] in log.note($0) })
    }

    /// Unpacks an archive that was uploaded.
    func unpack(_ digest: ImageDigest, into directory: FilePath) async throws {
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
    ///
    /// - Parameter name: The name of the file in messages.
    func text(of path: FilePath, most: Int = Containerfile.mostBytes, named name: String = "The Containerfile") throws -> String? {
        var status = stat()
        guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard status.st_size <= most else { throw BuildFailure(.badContainerfile, "\(name) has more than \(most) bytes.") }
        return String(decoding: try Data(contentsOf: URL(filePath: path.string)), as: UTF8.self)
    }
}

extension String {
    fileprivate var capitalizingFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension FilePath {
    /// The path without links, or nil if there is no such file.
    fileprivate var realPath: FilePath? {
        guard let path = realpath(string, nil) else { return nil }
        defer { free(path) }
        return FilePath(platformString: path)
    }
}
