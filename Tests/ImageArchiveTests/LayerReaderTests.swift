import ImageArchive
import ImageModel
import SystemPackage
import Testing

@Suite("compressed layers")
struct LayerReaderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Compresses a layer with the format's own program.
    private func layer(_ plain: [UInt8], _ program: String, mediaType: MediaType) async throws -> TestLayer {
        let file = try directory.file("layer", plain)
        try await Tool.run(program, "-k", "-q", "-f", file.string)
        return TestLayer(plain: plain, try FilePath(file.string + (program == "gzip" ? ".gz" : ".zst")).bytes, mediaType)
    }

    @discardableResult
    private func read(
        _ layer: TestLayer, as descriptor: Descriptor? = nil, limits: LayerLimits = LayerLimits(), step: Int = 100_000
    ) throws -> (TarCollector, LayerDecoder.Summary) {
        let collector = TarCollector()
        let reader = try LayerReader(descriptor ?? layer.descriptor, limits: limits)
        var rest = layer.bytes[...]
        while !rest.isEmpty {
            try rest.prefix(step).withUnsafeBytes { try reader.read($0, collector) }
            rest = rest.dropFirst(step)
        }
        return (collector, try reader.finish(collector))
    }

    private func plain() throws -> [UInt8] {
        try MemorySink.tar([(.file("a"), String(repeating: "content\n", count: 50_000)), (.file("b"), "b")])
    }

    @Test("a layer is read with each compression, in pieces of any size", arguments: ["gzip", "zstd"], [1, 1000, 1 << 20])
    func compressions(program: String, step: Int) async throws {
        let layer = try await layer(try plain(), program, mediaType: program == "gzip" ? .ociGzipLayer : .ociZstdLayer)
        let (found, summary) = try read(layer, step: step)
        #expect(found.names == ["a", "b"])
        #expect(summary.diffID == layer.diffID)
        #expect(summary.plainSize == (try plain()).count)
    }

    @Test("the bytes tell the compression if the media type names another one")
    func magic() async throws {
        let layer = try await layer(try plain(), "zstd", mediaType: .dockerLayer)
        #expect(try read(layer).1.diffID == layer.diffID)
        #expect(try read(TestLayer(plain: try plain(), try plain(), .ociGzipLayer)).0.names == ["a", "b"])
    }

    @Test("a blob that is not a layer is refused")
    func otherType() throws {
        let blob = TestLayer(plain: [], [], .ociConfiguration)
        #expect(throws: ImageArchiveError.self) { try read(blob) }
    }

    @Test("a layer with another digest is refused")
    func wrongDigest() async throws {
        let layer = try await layer(try plain(), "gzip", mediaType: .ociGzipLayer)
        let other = ImageDigest(of: [1])
        let descriptor = Descriptor(mediaType: .ociGzipLayer, digest: other, size: layer.bytes.count)
        let error = #expect(throws: ImageArchiveError.self) { try read(layer, as: descriptor) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.message == "The layer that should have the digest \(other) has \(layer.descriptor.digest).")
    }

    @Test("a layer that is larger or smaller than its descriptor says is refused", arguments: [-1, 1])
    func wrongSize(difference: Int) async throws {
        let layer = try await layer(try plain(), "gzip", mediaType: .ociGzipLayer)
        let descriptor = Descriptor(mediaType: .ociGzipLayer, digest: layer.descriptor.digest, size: layer.bytes.count + difference)
        let error = #expect(throws: ImageArchiveError.self) { try read(layer, as: descriptor) }
        #expect(error?.code == (difference < 0 ? .digestMismatch : .truncated))
    }

    @Test("a truncated layer is refused, even if its digest is right", arguments: ["gzip", "zstd"])
    func truncated(program: String) async throws {
        let whole = try await layer(try plain(), program, mediaType: .ociGzipLayer)
        let cut = TestLayer(plain: [], Array(whole.bytes.dropLast(10)), .ociGzipLayer)
        let error = #expect(throws: ImageArchiveError.self) { try read(cut) }
        #expect(error?.code == .truncated)
    }

    @Test("a decompression bomb is refused by its growth", arguments: ["gzip", "zstd"])
    func bombByGrowth(program: String) async throws {
        let bomb = try await layer(
            try MemorySink.tar([(.file("zeros"), String(repeating: "\0", count: 20 << 20))]), program, mediaType: .ociGzipLayer)
        var limits = LayerLimits()
        limits.unsuspiciousBytes = 1 << 20
        let error = #expect(throws: ImageArchiveError.self) { try read(bomb, limits: limits) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.hasSuffix("becomes more than 200 times larger when uncompressed, which is not accepted.") == true)
    }

    @Test("a decompression bomb is refused by its size")
    func bombBySize() async throws {
        let bomb = try await layer(try plain(), "gzip", mediaType: .ociGzipLayer)
        var limits = LayerLimits()
        limits.plainBytes = 100_000
        let error = #expect(throws: ImageArchiveError.self) { try read(bomb, limits: limits) }
        #expect(error?.message.contains("has more than 100000 bytes when uncompressed") == true)
    }
}
