import ForeignText
import Foundation
import Glibc
import ImageArchive
import ImageFetch
import ImageModel
import ImageTestKit
import Registry
import Subprocess
import SystemPackage
import Testing

@Suite("Fetching images")
struct FetchTests {
    @Test("an image of a real registry becomes an archive that skopeo reads, linked into the work directory")
    func fetchesFromARealRegistry() async throws {
        try await TestRegistry.with { registry in
            try await FetchWorld.with { world in
                let image = SmallImage(files: [("a", Array("one".utf8)), ("b", [UInt8](repeating: 7, count: 3_000_000))])
                try await world.push(image, to: try registry.repository("team/web"), tag: "1")
                let address = try FetchAddress("docker://\(registry.host)/team/web;digest=\(image.document.digest);tag=1")
                let fetched = try await world.fetcher.fetch(FetchRequest(address))
                #expect(fetched.digest == image.document.digest)
                #expect(!fetched.isHit)
                let file = world.work.appending(try fetched.place.workName(tag: address.tag).text)
                #expect(try await world.fetcher.deliver(fetched, as: file) == .hardLink)
                let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
                #expect(attributes[.referenceCount] as? Int == 2)
                try DockerArchiveReader(file).verify()
                let plain = world.directory.appending("plain.tar")
                _ = try await run(
                    .name("zstd"), arguments: ["-d", "-q", fetched.entry.path.string, "-o", plain.string], output: .discarded)
                let inspected = try await run(
                    .name("skopeo"), arguments: ["inspect", "--format", "{{.Layers}}", "docker-archive:\(plain)"],
                    output: .string(limit: 1 << 16))
                #expect(inspected.terminationStatus.isSuccess)
                #expect(image.layers.allSatisfy { inspected.standardOutput.contains(ImageDigest(of: $0).description) })
            }
        }
    }

    @Test("an OCI archive keeps the digest of the image")
    func anOCIArchiveKeepsTheDigest() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage()
            registry.answer(script(["1": image]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let fetched = try await world.fetcher.fetch(
                    FetchRequest(try FetchAddress("\(registry.host)/web:1"), format: .ociArchive))
                let archive = OCIArchiveReader(fetched.entry.path)
                try archive.verify()
                #expect(try archive.manifest().digest == image.document.digest)
            }
        }
    }

    @Test("an image that is in the cache with its digest is used without the network")
    func aHitNeedsNoNetwork() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage()
            registry.answer(script(["1": image]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let request = FetchRequest(try FetchAddress("docker://\(registry.host)/web;digest=\(image.document.digest);tag=1"))
                let first = try await world.fetcher.fetch(request)
                let asked = registry.requests.count
                for verifies in [false, true] {
                    var again = request
                    again.verifies = verifies
                    let second = try await world.fetcher.fetch(again)
                    #expect(second.isHit)
                    #expect(second.entry == first.entry)
                }
                #expect(registry.requests.count == asked)
            }
        }
    }

    @Test("an archive in the cache that is damaged without a change of its time is found by a request that verifies it")
    func damage() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage()
            registry.answer(script(["1": image]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                var request = FetchRequest(try FetchAddress("docker://\(registry.host)/web;digest=\(image.document.digest);tag=1"))
                let path = try await world.fetcher.fetch(request).entry.path.string
                var status = stat()
                #expect(stat(path, &status) == 0)
                var bytes = try #require(FileManager.default.contents(atPath: path))
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: URL(fileURLWithPath: path))
                #expect(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
                #expect(try await world.fetcher.fetch(request).isHit)
                request.verifies = true
                let mended = try await world.fetcher.fetch(request)
                #expect(!mended.isHit)
                try DockerArchiveReader(mended.entry.path).verify()
            }
        }
    }

    @Test("without a digest, the tag's image of now is fetched, and an unchanged one is not downloaded again")
    func aTagThatMoves() async throws {
        try await ScriptedRegistry.with { registry in
            let (old, new) = (SmallImage(files: [("a", [1])]), SmallImage(files: [("a", [2])]))
            registry.answer(script(["latest": old]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let request = FetchRequest(try FetchAddress("\(registry.host)/web"))
                #expect(try await world.fetcher.fetch(request).digest == old.document.digest)
                #expect(try await world.fetcher.fetch(request).isHit)
                registry.answer(script(["latest": new]) { .init(200, [], .bytes($1)) })
                let fetched = try await world.fetcher.fetch(request)
                #expect(fetched.digest == new.document.digest)
                #expect(!fetched.isHit)
                var offline = request
                offline.isOffline = true
                #expect(try await world.fetcher.fetch(offline).digest == new.document.digest)
            }
        }
    }

    @Test("what is not in the cache is not fetched offline")
    func offline() async throws {
        try await FetchWorld.with { world in
            let request = FetchRequest(try FetchAddress("127.0.0.1:1/web:1"), isOffline: true)
            let failure = await world.failure(request)
            #expect(failure?.code == .offline)
            #expect(failure?.description.contains("container-images/") == true)
        }
    }

    @Test("a digest that the registry does not have fails, and nothing is in the cache")
    func anUnknownDigest() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer(script(["1": SmallImage()]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let digest = ImageDigest(of: [1, 2, 3])
                let failure = await world.failure(FetchRequest(try FetchAddress("\(registry.host)/web@\(digest)")))
                #expect(failure?.code == .notFound)
                #expect(world.cachedFiles.isEmpty)
            }
        }
    }

    @Test("a tag that is named beside the digest must be its tag")
    func aTagBesideTheDigest() async throws {
        try await ScriptedRegistry.with { registry in
            let (old, new) = (SmallImage(files: [("a", [1])]), SmallImage(files: [("a", [2])]))
            registry.answer(script(["old": old, "1": new]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let address = try FetchAddress("docker://\(registry.host)/web;digest=\(old.document.digest);tag=1")
                let failure = await world.failure(FetchRequest(address))
                #expect(failure?.code == .tagMoved)
                #expect(failure?.description.contains(new.document.digest.description) == true)
                #expect(world.cachedFiles.isEmpty)
            }
        }
    }

    @Test("of an index, only the image of the architecture is fetched, and the digest to write is that of the index")
    func anIndex() async throws {
        try await TestRegistry.with { registry in
            try await FetchWorld.with { world in
                let repository = try registry.repository("web")
                var index = ImageIndex(manifests: [])
                for name in ["amd64", "armhf"] {
                    let platform = try Platform(name)
                    let image = SmallImage(platform: platform, files: [("a", Array(name.utf8))])
                    try await world.push(image, to: repository, tag: nil)
                    index.manifests.append(image.document.descriptor(platform: platform))
                }
                let document = ManifestDocument(index)
                try await world.registry.put(document, to: repository, tag: .latest)
                let address = try FetchAddress("\(registry.host)/web")
                let fetched = try await world.fetcher.fetch(FetchRequest(address, platform: try Platform("armhf")))
                #expect(fetched.digest == index.manifests[1].digest)
                #expect(fetched.pin == document.digest)
                #expect(fetched.place.path.hasPrefix("container-images/arm/v7/"))
                #expect(try await world.fetcher.pin(FetchRequest(address, platform: try Platform("amd64"))) == document.digest)
                let failure = await world.failure(FetchRequest(address, platform: try Platform("s390x")))
                #expect(failure?.code == .platform)
                #expect(failure?.description.contains("linux/arm/v7") == true)
            }
        }
    }

    @Test("an image for another architecture is refused")
    func anotherArchitecture() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer(script(["1": SmallImage(platform: try Platform("s390x"))]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let failure = await world.failure(
                    FetchRequest(try FetchAddress("\(registry.host)/web:1"), platform: try Platform("amd64")))
                #expect(failure?.code == .platform)
                #expect(world.cachedFiles.isEmpty)
            }
        }
    }

    @Test("a layer with another digest fails, and no archive is in the cache")
    func aLayerThatLies() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage(files: [("a", [1]), ("b", [2])])
            let last = image.blobs[2].descriptor.digest
            registry.answer(
                script(["1": image]) { digest, bytes in
                    .init(200, [], .bytes(digest == last ? bytes.map { $0 ^ 1 } : bytes))
                })
            try await FetchWorld.with { world in
                let failure = await world.failure(FetchRequest(try FetchAddress("\(registry.host)/web:1")))
                #expect(failure?.code == .registry)
                #expect(failure?.description.contains(last.hex) == true)
                #expect(!world.cachedFiles.contains { $0.hasSuffix(".zst") || $0.hasSuffix(".json") })
            }
        }
    }

    @Test("an interrupted download goes on at the place where it stopped")
    func goesOn() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage(files: [("a", [UInt8](repeating: 3, count: 1_000_000))])
            let (layer, bytes) = image.blobs[1]
            registry.answer { request in
                guard request.uri.hasSuffix(layer.digest.description), request.headers["range"] == "bytes=400000-" else {
                    return script(["1": image]) { .init(200, [], .bytes($1)) }(request)
                }
                return .init(206, [("content-range", "bytes 400000-\(bytes.count - 1)/\(bytes.count)")], .bytes(Array(bytes[400_000...])))
            }
            try await FetchWorld.with { world in
                let address = try FetchAddress("\(registry.host)/web:1")
                // An earlier fetch has left these bytes.
                let place = try CacheName(address.repository, .tag(address.tag), platform: .host)
                let partial = DownloadCache(world.cache).partialDownloads(place)
                try FileManager.default.createDirectory(atPath: partial.string, withIntermediateDirectories: true)
                try Data(bytes.prefix(400_000))
                    .write(to: URL(filePath: partial.appending("sha256-\(layer.digest.hex)").string))
                let fetched = try await world.fetcher.fetch(FetchRequest(address))
                try DockerArchiveReader(fetched.entry.path).verify()
                let ranges = registry.requests.filter { $0.uri.hasSuffix(layer.digest.description) }.map { $0.headers["range"] }
                #expect(ranges == ["bytes=400000-"])
                #expect(!world.cachedFiles.contains { $0.contains(".blobs") || $0.contains(".part") })
            }
        }
    }

    @Test("fetches of one image at the same time share one download")
    func shared() async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage(files: [("a", [UInt8](repeating: 3, count: 1_000_000))])
            registry.answer(script(["1": image]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let request = FetchRequest(try FetchAddress("\(registry.host)/web:1"))
                let fetcher = world.fetcher
                let entries = try await withThrowingTaskGroup(of: FetchedImage.self) { group in
                    for _ in 0..<6 { group.addTask { try await fetcher.fetch(request) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(entries.count(where: { !$0.isHit }) == 1)
                #expect(registry.requests.count { $0.uri.hasSuffix(image.blobs[1].descriptor.digest.description) } == 1)
            }
        }
    }

    @Test("a fetched image is unpacked as a container would see it", arguments: CacheName.Format.allCases)
    func unpacks(_ format: CacheName.Format) async throws {
        try await ScriptedRegistry.with { registry in
            let image = SmallImage(files: [("kept", [1]), ("gone", [2]), (".wh.gone", []), ("kept", [3])])
            registry.answer(script(["1": image]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let fetched = try await world.fetcher.fetch(FetchRequest(try FetchAddress("\(registry.host)/web:1"), format: format))
                let root = world.directory.appending("root")
                _ = try await world.fetcher.unpack(fetched, into: root)
                #expect(try FileManager.default.contentsOfDirectory(atPath: root.string) == ["kept"])
                #expect(FileManager.default.contents(atPath: root.appending("kept").string) == Data([3]))
            }
        }
    }

    @Test("a layer that leads out of the directory is refused")
    func leadsOut() async throws {
        try await ScriptedRegistry.with { registry in
            registry.answer(script(["1": SmallImage(files: [("../outside", [1])])]) { .init(200, [], .bytes($1)) })
            try await FetchWorld.with { world in
                let fetched = try await world.fetcher.fetch(FetchRequest(try FetchAddress("\(registry.host)/web:1")))
                await #expect(throws: FetchFailure.self) {
                    try await world.fetcher.unpack(fetched, into: world.directory.appending("root"))
                }
                #expect(!FileManager.default.fileExists(atPath: world.directory.appending("outside").string))
            }
        }
    }
}
