import ForeignText
import Foundation
import ImageModel
import NIOCore
import Registry
import SystemPackage

/// An *image folder* has a manifest list with all its images, as an OCI image layout, or in the form of
/// the `dir:` transport of skopeo and podman.
struct ImageFolder {
    enum Form { case oci, dir }

    let path: FilePath
    let form: Form

    init(_ path: FilePath, form: Form) {
        self.path = path
        self.form = form
    }

    /// Fetches a manifest list with its images from a registry. The digests of all files are checked.
    func save(_ repository: ImageRepository, _ digest: ImageDigest, tag: String, in console: Console) async throws {
        do {
            // A folder that does not exist yet is made. Another problem with it shows when it is made.
            if (try? FileManager.default.contentsOfDirectory(atPath: path.string))?.isEmpty == false {
                throw CommandFailure(.error, "the folder \(path.string.quoted) is not empty; name one that is empty or does not exist")
            }
            let blobs = form == .oci ? path.appending("blobs").appending("sha256") : path
            try FileManager.default.createDirectory(atPath: blobs.string, withIntermediateDirectories: true)
            let settings = try RegistrySettings.current(in: console, isLoopbackInsecure: true)
            try await settings.withClient(in: console) { registry in
                let list = try await registry.manifest(ImageReference(repository, digest: digest))
                try await copy(list, of: repository, to: blobs, from: registry)
                try write(list, tag: tag)
            }
        } catch let failure as RegistryFailure {
            throw CommandFailure(.error, failure.message)
        } catch let error as Errno {
            throw CommandFailure(.error, "the folder \(path.string.quoted) cannot be written: \(error.description.lowercased())")
        } catch let error as CocoaError {
            throw CommandFailure(.error, "the folder \(path.string.quoted) cannot be written: \(SettingsFile.reason(error))")
        }
    }

    /// Copies the images of a list, and the list itself.
    private func copy(_ document: ManifestDocument, of repository: ImageRepository, to blobs: FilePath, from registry: RegistryClient)
        async throws
    {
        switch document.content {
        case .index(let index):
            for entry in index.manifests {
                let manifest = try await registry.manifest(ImageReference(repository, digest: entry.digest))
                try await copy(manifest, of: repository, to: blobs, from: registry)
            }
            if form == .oci { try Self.write(document.bytes, to: blobs.appending(document.digest.hex)) }
        case .manifest(let manifest):
            for blob in [manifest.configuration] + manifest.layers {
                let file = blobs.appending(blob.digest.hex)
                guard !FileManager.default.fileExists(atPath: file.string) else { continue }
                try await Self.fetch(blob, of: repository, to: file, from: registry)
            }
            // A folder of the transport dir has the manifests of a list under their digests.
            let name = form == .oci ? document.digest.hex : "\(document.digest.hex).manifest.json"
            try Self.write(document.bytes, to: blobs.appending(name))
        }
    }

    private static func fetch(_ blob: Descriptor, of repository: ImageRepository, to file: FilePath, from registry: RegistryClient)
        async throws
    {
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        let result: Result<Void, any Error>
        do {
            try await registry.blob(blob, of: repository) { piece in _ = try descriptor.writeAll(piece.readableBytesView) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try descriptor.close()
        // A part of a blob is of no use.
        if case .failure = result { try? FileManager.default.removeItem(atPath: file.string) }
        try result.get()
    }

    /// Writes the files by which programs find the list.
    private func write(_ list: ManifestDocument, tag: String) throws {
        switch form {
        case .dir:
            try Self.write(list.bytes, to: path.appending("manifest.json"))
            try Self.write(Array("Directory Transport Version: 1.2\n".utf8), to: path.appending("version"))
        case .oci:
            let index = ImageIndex(manifests: [list.descriptor(annotations: ["org.opencontainers.image.ref.name": tag])])
            try Self.write(ManifestDocument(index).bytes, to: path.appending("index.json"))
            try Self.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: path.appending("oci-layout"))
        }
    }

    private static func write(_ bytes: [UInt8], to file: FilePath) throws {
        try Data(bytes).write(to: URL(filePath: file.string), options: .atomic)
    }
}
