import Foundation
import HTTPEnvironment
import ImageModel
import ImageTestKit
import NIOCore
import Registry
import Subprocess
import SystemPackage
import Testing

/// Runs skopeo and returns its output.
private func skopeo(_ arguments: [String]) async throws -> String {
    let result = try await Subprocess.run(
        .name("skopeo"), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
        Issue.record("skopeo \(arguments): \(result.standardError)")
        return ""
    }
    return result.standardOutput
}

private func withDirectory<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
    let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-registry-tests-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

@Suite("With a real registry")
struct RealRegistryTests {
    @Test("An image that skopeo pushed is read with its manifest, configuration and layers")
    func readsSkopeo() async throws {
        try await TestRegistry.with { registry in
            let image = SmallImage(files: [("a", Array("one".utf8)), ("b", [UInt8](repeating: 7, count: 3_000_000))])
            try await withDirectory { directory in
                try image.writeLayout(to: directory, tag: "1")
                _ = try await skopeo([
                    "copy", "--preserve-digests", "--dest-tls-verify=false", "oci:\(directory.path):1",
                    "docker://\(registry.host)/team/web:1",
                ])
            }
            try await withClient { client in
                let repository = try registry.repository("team/web")
                let document = try await client.manifest(try ImageReference("\(registry.host)/team/web:1"))
                #expect(document == image.document)
                #expect(try await client.reportedDigest(of: ImageReference(repository, tag: ImageTag("1"))) == image.document.digest)
                guard case .manifest(let manifest) = document.content else { return }
                let configuration = try ImageConfiguration(try await client.blob(manifest.configuration, of: repository))
                #expect(configuration.platform == .host)
                for (layer, bytes) in zip(manifest.layers, image.layers) {
                    var received: [UInt8] = []
                    try await client.blob(layer, of: repository) { received += $0.readableBytesView }
                    #expect(received == bytes)
                }
                #expect(try await client.tags(of: repository).map(\.text) == ["1"])
            }
        }
    }

    @Test("An index that this client pushed is read by skopeo, and its tags can move")
    func pushes() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("team/web")
                let platforms = [try Platform("amd64"), try Platform("armhf")]
                var index = ImageIndex(manifests: [])
                for platform in platforms {
                    let image = SmallImage(platform: platform, files: [("a", Array(platform.description.utf8))])
                    try await client.push(image, to: repository, tag: nil)
                    index.manifests.append(image.document.descriptor(platform: platform))
                }
                let document = ManifestDocument(index)
                for tag in ["20261129", "latest"] { try await client.put(document, to: repository, tag: ImageTag(tag)) }
                let raw = try await skopeo(["inspect", "--tls-verify=false", "--raw", "docker://\(registry.host)/team/web:latest"])
                #expect(Array(raw.utf8) == document.bytes)
                let inspected = try await skopeo([
                    "inspect", "--tls-verify=false", "--override-arch=arm", "--override-variant=v7", "--override-os=linux",
                    "--format={{.Architecture}}", "docker://\(registry.host)/team/web:latest",
                ])
                #expect(inspected == "arm\n")
                let second = SmallImage(files: [("b", Array("new".utf8))])
                try await client.push(second, to: repository, tag: .latest)
                #expect(try await client.manifest(ImageReference(repository)).digest == second.document.digest)
                #expect(try await client.tags(of: repository).sorted().map(\.text) == ["20261129", "latest"])
            }
        }
    }

    @Test("A list whose manifest is absent is refused, and no tag appears")
    func contentMissing() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("web")
                let document = ManifestDocument(ImageIndex(manifests: [SmallImage().document.descriptor(platform: .host)]))
                let found = await failure { try await client.put(document, to: repository, tag: .latest) }
                #expect(found?.code == .contentMissing)
                #expect(try await client.reportedDigest(of: ImageReference(repository)) == nil)
            }
        }
    }

    @Test("A blob is uploaded in chunks, and not again if it is there")
    func chunks() async throws {
        try await TestRegistry.with { registry in
            var configuration = RegistryConfiguration()
            configuration.limits.chunkBytes = 1_000_000
            try await withClient(configuration) { client in
                let repository = try registry.repository("web")
                let bytes = (0..<3_500_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 5) }
                let descriptor = Descriptor(of: bytes, mediaType: .ociLayer)
                #expect(try await client.upload(descriptor, to: repository, BytesContent(bytes)) == .uploaded)
                #expect(try await client.upload(descriptor, to: repository, BytesContent(bytes)) == .present)
                #expect(try await client.blob(descriptor, of: repository) == bytes)
            }
        }
    }

    @Test("A file is uploaded, and a blob is mounted from another repository")
    func mount() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let (first, second) = (try registry.repository("first"), try registry.repository("second"))
                let bytes = [UInt8](repeating: 3, count: 2_500_000)
                let descriptor = Descriptor(of: bytes, mediaType: .ociLayer)
                try await withDirectory { directory in
                    let path = directory.appending(path: "layer")
                    try Data(bytes).write(to: path)
                    let file = try FileDescriptor.open(FilePath(path.path), .readOnly)
                    defer { try? file.close() }
                    #expect(try await client.upload(descriptor, to: first, FileContent(file)) == .uploaded)
                }
                #expect(try await client.upload(descriptor, to: second, from: first, BytesContent([])) == .mounted)
                let other = Descriptor(of: Array("x".utf8), mediaType: .ociLayer)
                #expect(try await client.upload(other, to: second, from: first, BytesContent("x".utf8)) == .uploaded)
            }
        }
    }

    @Test("Content with another digest than it should have is refused by the registry")
    func wrongUpload() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("web")
                let descriptor = Descriptor(of: Array("right".utf8), mediaType: .ociLayer)
                let found = await failure { try await client.upload(descriptor, to: repository, BytesContent("wrong".utf8)) }
                #expect(found?.code == .rejected)
                #expect(found?.message.contains("DIGEST_INVALID") ?? false)
                #expect(try await !client.hasBlob(descriptor.digest, in: repository))
                let short = await failure { try await client.upload(descriptor, to: repository, BytesContent("rig".utf8)) }
                #expect(short?.message == "The content to upload ended after 3 bytes.")
            }
        }
    }

    @Test("A blob is continued after the bytes that are there already")
    func continues() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("web")
                let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
                let descriptor = Descriptor(of: bytes, mediaType: .ociLayer)
                try await client.upload(descriptor, to: repository, BytesContent(bytes))
                var have = RunningDigest()
                have.update(bytes[..<60_000])
                var rest: [UInt8] = []
                try await client.blob(descriptor, of: repository, after: have) { rest += $0.readableBytesView }
                #expect(rest == Array(bytes[60_000...]))
                var wrong = RunningDigest()
                wrong.update([UInt8](repeating: 0, count: 60_000))
                let found = await failure { [wrong] in try await client.blob(descriptor, of: repository, after: wrong) { _ in } }
                #expect(found?.code == .mismatch)
            }
        }
    }

    @Test("Referrers are found by the tag where the registry has no API for them, and added one by one")
    func referrers() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("web")
                let image = SmallImage()
                try await client.push(image, to: repository, tag: .latest)
                #expect(try await client.referrers(of: image.document.digest, in: repository).isEmpty)
                let empty = Descriptor(of: Array("{}".utf8), mediaType: .empty)
                try await client.upload(empty, to: repository, BytesContent("{}".utf8))
                var attached: [ImageDigest] = []
                for type in ["application/vnd.example.one", "application/vnd.example.two"] {
                    let document = ManifestDocument(
                        Manifest(configuration: empty, layers: [empty], subject: image.document.descriptor(), artifactType: type))
                    try await client.attach([document], to: repository)
                    try await client.attach([document], to: repository)
                    attached.append(document.digest)
                }
                #expect(try await client.referrers(of: image.document.digest, in: repository).map(\.digest) == attached)
                let second = try await client.referrers(
                    of: image.document.digest, in: repository, artifactType: "application/vnd.example.two")
                #expect(second.map(\.digest) == [attached[1]])
                #expect(try await client.tags(of: repository).contains(image.document.digest.referrersTag))
            }
        }
    }

    @Test("A manifest with as many referrers as their tag can have gets no more, and the failure says so")
    func fullReferrers() async throws {
        try await TestRegistry.with { registry in
            try await withClient { client in
                let repository = try registry.repository("web")
                let image = SmallImage()
                try await client.push(image, to: repository, tag: .latest)
                let subject = image.document.descriptor()
                let empty = Descriptor(of: Array("{}".utf8), mediaType: .empty)
                try await client.upload(empty, to: repository, BytesContent("{}".utf8))
                let documents = ["application/vnd.example.one", "application/vnd.example.two"].map { type in
                    ManifestDocument(Manifest(configuration: empty, layers: [empty], subject: subject, artifactType: type))
                }
                try await client.attach([documents[0]], to: repository)
                let full = ImageIndex(manifests: Array(repeating: documents[0].descriptor(), count: ImageIndex.mostManifests))
                try await client.put(ManifestDocument(full), to: repository, tag: subject.digest.referrersTag)
                try await client.attach([documents[0]], to: repository)
                let found = await failure { try await client.attach([documents[1]], to: repository) }
                #expect(found?.code == .limitExceeded)
                #expect(
                    found?.message
                        == "\(subject.digest) of \(repository) has 10000 referrers, and gets no more. Delete the tag \(subject.digest.referrersTag)."
                )
            }
        }
    }

    @Test("A registry with passwords is read and written with the credentials of the file, and not without")
    func basic() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            let repository = try registry.repository("team/web")
            let image = SmallImage()
            try await withDirectory { directory in
                let file = directory.appending(path: "auth.json")
                let auth = Data("\(TestRegistry.user):\(TestRegistry.password)".utf8).base64EncodedString()
                try Data(#"{"auths":{"\#(registry.host)/team":{"auth":"\#(auth)"}}}"#.utf8).write(to: file)
                let credentials = CredentialFiles(FilePath(file.path))
                try await withClient(RegistryConfiguration(credentials: credentials)) { client in
                    try await client.push(image, to: repository, tag: .latest)
                    #expect(try await client.manifest(ImageReference(repository)) == image.document)
                    let other = try registry.repository("other/web")
                    #expect(await failure { _ = try await client.tags(of: other) }?.code == .unauthorized)
                }
            }
            try await withClient { client in
                let found = await failure { _ = try await client.manifest(ImageReference(repository)) }
                #expect(found?.code == .unauthorized)
                #expect(
                    found?.message
                        == "The registry at http://\(registry.host) does not let this service read team/web without other credentials "
                        + "(status 401): UNAUTHORIZED authentication required. "
                        + "The image does not exist, or podman login must add credentials for it.")
            }
        }
    }

    @Test("A mirror is asked first, and the registry for content that the mirror lacks")
    func mirror() async throws {
        try await TestRegistry.with { mirror in
            try await TestRegistry.with { registry in
                let (first, second) = (SmallImage(files: [("a", [1])]), SmallImage(files: [("b", [2])]))
                let repository = try registry.repository("web")
                try await withClient { client in
                    try await client.push(first, to: try mirror.repository("web"), tag: ImageTag("first"))
                    try await client.push(second, to: repository, tag: ImageTag("second"))
                }
                try await withClient(RegistryConfiguration(mirrors: [registry.host: [mirror.host]])) { client throws in
                    for (tag, image) in [("first", first), ("second", second)] {
                        #expect(try await client.manifest(ImageReference(repository, tag: ImageTag(tag))) == image.document)
                        for blob in image.blobs { #expect(try await client.blob(blob.descriptor, of: repository) == blob.bytes) }
                    }
                    #expect(
                        await failure { _ = try await client.manifest(ImageReference(repository, tag: ImageTag("third"))) }?.code
                            == .notFound)
                }
            }
        }
    }

    @Test("A registry that is not there counts as unreachable, and the message says so")
    func absent() async throws {
        let host = try await ScriptedRegistry.with { try $0.host }
        try await withClient { client in
            let found = await failure { _ = try await client.manifest(try ImageReference("\(host)/web")) }
            #expect(found?.message == "The registry could not be used: http://\(host) does not accept connections.")
            #expect(found?.isTransient == true)
        }
    }
}
