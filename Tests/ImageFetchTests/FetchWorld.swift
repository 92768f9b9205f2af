import Foundation
import HTTPEnvironment
import ImageArchive
import ImageFetch
import ImageModel
import ImageTestKit
import Logging
import NIOPosix
import Registry
import SystemPackage

/// A cache, a work directory and a fetcher, for one test.
struct FetchWorld {
    let directory: FilePath
    let fetcher: ImageFetcher
    let registry: RegistryClient

    var cache: FilePath { directory.appending("cache") }
    var work: FilePath { directory.appending("work") }

    /// All files below the cache, with their sizes.
    var cachedFiles: Set<String> {
        let files = FileManager.default.enumerator(atPath: cache.string)
        return Set(
            (files ?? FileManager.DirectoryEnumerator()).compactMap { $0 as? String }.filter { name in
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(atPath: cache.appending(name).string, isDirectory: &isDirectory)
                    && !isDirectory.boolValue
            })
    }

    static func with<Value>(_ body: (FetchWorld) async throws -> Value) async throws -> Value {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-fetch-\(UUID())")
        for name in ["cache", "work"] {
            try FileManager.default.createDirectory(atPath: directory.appending(name).string, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        var configuration = RegistryConfiguration()
        configuration.isLoopbackInsecure = true
        // Tests run in parallel, on machines that do other work.
        configuration.limits.connectTime = .seconds(300)
        configuration.limits.attempts = 1
        let client = RegistryClient(configuration, environment: HTTPEnvironment([:]), logger: Logger(label: "fetch-tests"))
        let fetcher = ImageFetcher(registry: client, cache: DownloadCache(directory.appending("cache")), threadPool: .singleton)
        do {
            let value = try await body(FetchWorld(directory: directory, fetcher: fetcher, registry: client))
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Returns the failure of a fetch.
    func failure(_ request: FetchRequest) async -> FetchFailure? {
        do {
            _ = try await fetcher.fetch(request)
            return nil
        } catch {
            return error as? FetchFailure
        }
    }

    func push(_ image: SmallImage, to repository: ImageRepository, tag: String?) async throws {
        for blob in image.blobs { try await registry.upload(blob.descriptor, to: repository, BytesContent(blob.bytes)) }
        try await registry.put(image.document, to: repository, tag: try tag.map { try ImageTag($0) })
    }
}

/// Answers as a registry that has these images of the repository `web`.
func script(_ images: [String: SmallImage], blob: @escaping @Sendable (ImageDigest, [UInt8]) -> ScriptedRegistry.Answer)
    -> @Sendable (
        ScriptedRegistry.Request
    ) -> ScriptedRegistry.Answer
{
    { request in
        for (tag, image) in images {
            if request.uri == "/v2/web/manifests/\(tag)" || request.uri == "/v2/web/manifests/\(image.document.digest)" {
                return .init(200, [("content-type", image.document.mediaType.rawValue)], .bytes(image.document.bytes))
            }
            for part in image.blobs where request.uri == "/v2/web/blobs/\(part.descriptor.digest)" {
                return blob(part.descriptor.digest, part.bytes)
            }
        }
        return .init(404)
    }
}
