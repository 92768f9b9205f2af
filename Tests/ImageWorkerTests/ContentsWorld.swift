import Foundation
import Glibc
import ImageModel
import ImageTestKit
import ImageWorker
import Logging
import Processes
import Registry
import Synchronization
import SystemPackage

/// A registry, and a directory for the files of a test.
struct ContentsWorld {
    let directory: FilePath
    let registry: TestRegistry
    let client: RegistryClient

    static func run(_ test: @escaping @Sendable (ContentsWorld) async throws -> Void) async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-contents-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        chmod(directory.string, 0o755)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        try await TestRegistry.with { registry in
            var settings = RegistryConfiguration(insecureHosts: [registry.host])
            settings.limits.attempts = 1
            let client = RegistryClient(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let result: Result<Void, any Error>
            do {
                result = .success(try await test(ContentsWorld(directory: directory, registry: registry, client: client)))
            } catch {
                result = .failure(error)
            }
            await client.shutdown()
            try result.get()
        }
    }

    /// Returns a reader whose program is the one that was built beside the tests. If the tests run as
    /// root, `nobody` reads rpmdbs, provided that this account can enter the directory of the test.
    func reader() throws -> ContentsReader {
        let here = FilePath(FileManager.default.currentDirectoryPath)
        let program = here.pushing(FilePath(CommandLine.arguments[0])).removingLastComponent().appending("odcs-rpmdb")
        let nobody = geteuid() == 0 ? Account(named: "nobody") : nil
        let account = nobody.flatMap { $0.obstacle(above: directory.appending("x")) == nil ? $0 : nil }
        return try ContentsReader(registry: client, program: program, account: account, scratch: directory)
    }

    /// Pushes an image, and returns the digest of its manifest.
    @discardableResult
    func push(_ image: SmallImage, to path: String, tag: String? = nil) async throws -> ImageDigest {
        let repository = try registry.repository(path)
        for (descriptor, bytes) in image.blobs { try await client.upload(descriptor, to: repository, BytesContent(bytes)) }
        try await client.put(image.document, to: repository, tag: tag.map { try ImageTag($0) })
        return image.document.digest
    }

    /// Pushes an index of images for several platforms, and returns its digest.
    @discardableResult
    func push(_ images: [Platform: SmallImage], to path: String, tag: String) async throws -> ImageDigest {
        var manifests: [Descriptor] = []
        for (platform, image) in images.sorted(by: { $0.key < $1.key }) {
            try await push(image, to: path)
            manifests.append(image.document.descriptor(platform: platform))
        }
        let index = ManifestDocument(ImageIndex(manifests: manifests))
        try await client.put(index, to: registry.repository(path), tag: ImageTag(tag))
        return index.digest
    }

    /// Pushes an image, and reads its contents.
    func contents(of image: SmallImage) async throws -> Contents {
        let digest = try await push(image, to: "team/app")
        return try await reader().contents(of: registry.repository("team/app"), digest: digest, platform: .host)
    }
}

/// A reader that counts how often each manifest is read. No image has an rpmdb.
final class CountingReader: ContentsReading {
    private let counts = Mutex<[ImageDigest: Int]>([:])

    var reads: [ImageDigest: Int] { counts.withLock { $0 } }

    func contents(of repository: ImageRepository, digest: ImageDigest, platform: Platform) async throws -> Contents {
        counts.withLock { $0[digest, default: 0] += 1 }
        return Contents(digest: digest, platform: platform, state: .none)
    }
}
