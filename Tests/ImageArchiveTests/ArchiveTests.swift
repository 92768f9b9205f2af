import Foundation
import ImageArchive
import ImageModel
import SystemPackage
import Testing

@Suite("archives of images")
struct ArchiveTests {
    private let directory: TemporaryDirectory
    private var path: FilePath { directory.path.appending("image.tar") }

    init() throws { directory = try TemporaryDirectory() }

    private func writeDocker(_ image: TestImage, to path: FilePath, zstdLevel: Int? = 3) throws {
        try image.write(
            to: try DockerArchiveWriter(
                path, image.manifest, configuration: image.configuration, names: ["localhost/sample:1"], zstdLevel: zstdLevel))
    }

    @Test("a docker-archive is read by us and by skopeo, plain and compressed", arguments: [nil, 1, 3, 19] as [Int?])
    func docker(level: Int?) async throws {
        let image = try TestImage.sample()
        try writeDocker(image, to: path, zstdLevel: level)
        let found = try #require(try DockerArchiveReader(path).images().first)
        #expect(found.names == ["localhost/sample:1"])
        #expect(found.id == image.manifest.configuration.digest)
        #expect(found.layers.count == 3)
        try DockerArchiveReader(path).verify()

        let oci = directory.path.appending("oci")
        try await Tool.run("skopeo", "copy", "docker-archive:\(path)", "oci:\(oci):x")
        let inspected = try await Tool.run("skopeo", "inspect", "--config", "--raw", "oci:\(oci):x")
        #expect(inspected.output.contains(image.layers[0].diffID.description))
    }

    @Test("the names in our own docker-archive are read from its beginning")
    func beginning() throws {
        try writeDocker(try TestImage.sample(), to: path, zstdLevel: nil)
        let cut = try directory.file("cut", Array(try path.bytes.prefix(4096)))
        #expect(try DockerArchiveReader(cut).images().first?.names == ["localhost/sample:1"])
    }

    @Test("zstd and GNU tar read a compressed docker-archive")
    func zstdProgram() async throws {
        try writeDocker(try TestImage.sample(), to: path)
        try await Tool.run("zstd", "-t", "-q", path.string)
        #expect(try await Tool.run("tar", "--zstd", "-tf", path.string).output.split(separator: "\n").count == 4)
    }

    @Test("equal images give equal archives")
    func deterministic() throws {
        try writeDocker(try TestImage.sample(), to: path)
        let other = directory.path.appending("other.tar")
        try writeDocker(try TestImage.sample(), to: other)
        #expect(try path.bytes == other.bytes)
    }

    @Test("a docker-archive of skopeo is read, with manifest.json at its end")
    func ofSkopeo() async throws {
        let image = try TestImage.sample()
        try writeDocker(image, to: path)
        let theirs = directory.path.appending("theirs.tar")
        try await Tool.run("skopeo", "copy", "docker-archive:\(path)", "docker-archive:\(theirs):localhost/theirs:2")
        let found = try #require(try DockerArchiveReader(theirs).images().first)
        #expect(found.names == ["localhost/theirs:2"])
        #expect(found.configuration.diffIDs == image.layers.map(\.diffID))
        try DockerArchiveReader(theirs).verify()
    }

    @Test("an OCI archive keeps the digest of the manifest, also for skopeo")
    func oci() async throws {
        let image = try TestImage.sample()
        let writer = try OCIArchiveWriter(path, image.document, configuration: image.configuration, tag: try ImageTag("1"))
        try image.write(to: writer)
        #expect(try OCIArchiveReader(path).manifest() == image.document)
        try OCIArchiveReader(path).verify()
        let digest = try await Tool.run("skopeo", "inspect", "--format", "{{.Digest}}", "oci-archive:\(path):1").output
        #expect(digest == "\(image.document.digest)\n")
    }

    @Test("an OCI archive of skopeo is read")
    func ociOfSkopeo() async throws {
        try writeDocker(try TestImage.sample(), to: path)
        let theirs = directory.path.appending("theirs.tar")
        try await Tool.run("skopeo", "copy", "docker-archive:\(path)", "oci-archive:\(theirs):x")
        try OCIArchiveReader(theirs).verify()
    }

    // MARK: Bad input

    @Test("a layer whose uncompressed digest is not that of the configuration is refused")
    func lyingConfiguration() throws {
        let layer = try TestLayer([(.file("x"), "x")])
        let image = TestImage([layer], diffIDs: [ImageDigest(of: [1])])
        let error = #expect(throws: ImageArchiveError.self) { try writeDocker(image, to: path) }
        #expect(error?.code == .digestMismatch)
        #expect(
            error?.message == "The layer \(layer.descriptor.digest) has the digest \(layer.diffID) when uncompressed, "
                + "but the image's configuration says \(ImageDigest(of: [1])).")
    }

    @Test("a configuration that the manifest does not name is refused")
    func otherConfiguration() throws {
        let image = try TestImage.sample()
        let error = #expect(throws: ImageArchiveError.self) {
            try DockerArchiveWriter(path, image.manifest, configuration: Array("{}".utf8), names: [])
        }
        #expect(error?.code == .digestMismatch)
    }

    @Test("a blob of an OCI archive with another digest is refused")
    func lyingBlob() throws {
        let image = try TestImage.sample()
        let writer = try OCIArchiveWriter(path, image.document, configuration: image.configuration, tag: nil)
        var bytes = image.layers[0].bytes
        bytes[0] ^= 1
        try bytes.withUnsafeBytes { try writer.write($0) }
        #expect(throws: ImageArchiveError.self) { try writer.endBlob() }
    }

    @Test("an archive that lacks a layer is not finished")
    func missingLayer() throws {
        let image = try TestImage.sample()
        let writer = try DockerArchiveWriter(path, image.manifest, configuration: image.configuration, names: [])
        let error = #expect(throws: ImageArchiveError.self) { try writer.finish() }
        #expect(error?.code == .missing)
    }

    @Test("a docker-archive that was truncated or changed does not pass")
    func damaged() throws {
        try writeDocker(try TestImage.sample(), to: path, zstdLevel: nil)
        let bytes = try path.bytes
        for length in [100, 700, 3000, bytes.count / 2, bytes.count - 3000] {
            let cut = try directory.file("cut", Array(bytes[..<length]))
            #expect(throws: ImageArchiveError.self, "\(length)") { try DockerArchiveReader(cut).verify() }
        }
        var changed = bytes
        changed[changed.count / 2] ^= 1
        let file = try directory.file("changed", changed)
        let error = #expect(throws: ImageArchiveError.self) { try DockerArchiveReader(file).verify() }
        #expect(error?.code == .digestMismatch)
    }

    @Test("a file that is not an archive is refused with a sentence")
    func noArchive() throws {
        let empty = try directory.file("empty.tar", try MemorySink.tar([]))
        let error = #expect(throws: ImageArchiveError.self) { try DockerArchiveReader(empty).images() }
        #expect(error?.message == "The archive has no manifest.json, so it is not a docker-archive.")
        let text = try directory.file("text", [UInt8](repeating: 65, count: 2000))
        #expect(throws: ImageArchiveError.self) { try OCIArchiveReader(text).manifest() }
    }
}
