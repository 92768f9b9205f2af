import ImageModel
import Testing

private let hex = String(repeating: "0a", count: 32)
private let configuration = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(hex)","size":7}"#

private func manifest(_ members: String) -> [UInt8] { Array("{\"schemaVersion\":2,\(members)}".utf8) }

private func problem(_ bytes: [UInt8], mediaType: MediaType? = nil) -> String? {
    do throws(ImageProblem) {
        _ = try ManifestDocument(bytes, mediaType: mediaType)
        return nil
    } catch {
        return error.description
    }
}

@Suite("Manifests and indexes")
struct DocumentsTests {
    private func layer(_ size: String) -> String {
        #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:\#(hex)","size":\#(size)}"#
    }

    @Test("A manifest is read with its digest, and its bytes are kept")
    func reads() throws {
        let bytes = manifest(#""config":\#(configuration),"layers":[\#(layer("12")),\#(layer("30"))],"extra":{"a":[1]}"#)
        let document = try ManifestDocument(bytes)
        guard case .manifest(let found) = document.content else { return #expect(Bool(false)) }
        #expect(found.layers.map(\.size) == [12, 30])
        #expect(found.layerBytes == 42)
        #expect(found.layers[0].mediaType.layerCompression == .gzip)
        #expect(document.bytes == bytes)
        #expect(document.digest == ImageDigest(of: bytes))
        #expect(document.mediaType == .ociManifest)
    }

    @Test("A document that this service writes is read as the same value")
    func roundTrip() throws {
        let digest = try ImageDigest("sha256:\(hex)")
        let written = Manifest(
            configuration: Descriptor(mediaType: .ociConfiguration, digest: digest, size: 7),
            layers: [Descriptor(mediaType: .ociLayer, digest: digest, size: 8)],
            subject: Descriptor(mediaType: .ociManifest, digest: digest, size: 9), artifactType: "application/x", annotations: ["a/b": "c"])
        let document = ManifestDocument(written)
        #expect(try ManifestDocument(document.bytes, digest: document.digest).content == .manifest(written))
        let index = ImageIndex(
            manifests: [document.descriptor(platform: try Platform("arm64")), document.descriptor(platform: try Platform("armhf"))])
        let indexDocument = ManifestDocument(index)
        #expect(try ManifestDocument(indexDocument.bytes).content == .index(index))
        #expect(indexDocument.bytes == ManifestDocument(index).bytes)
        #expect(document.descriptor().artifactType == "application/x")
    }

    @Test("Bytes with another digest are refused")
    func wrongDigest() throws {
        let bytes = manifest(#""config":\#(configuration),"layers":[]"#)
        let other = try ImageDigest("sha256:\(hex)")
        #expect(throws: ImageProblem(.mismatch, "The manifest should have the digest \(other), and has \(ImageDigest(of: bytes)).")) {
            try ManifestDocument(bytes, digest: other)
        }
    }

    @Test(
        "A size beyond 2^63 or below zero is refused",
        arguments: ["9223372036854775807", "9223372036854775808", "1e400", "-1", "1.5", "\"7\"", "1125899906842625"])
    func sizes(size: String) {
        #expect(problem(manifest(#""config":\#(configuration),"layers":[\#(layer(size))]"#)) != nil)
    }

    @Test("The largest sizes can be added")
    func largest() throws {
        let layers = Array(repeating: layer("\(Descriptor.mostBytes)"), count: Manifest.mostLayers).joined(separator: ",")
        let document = try ManifestDocument(manifest(#""config":\#(configuration),"layers":[\#(layers)]"#))
        guard case .manifest(let found) = document.content else { return #expect(Bool(false)) }
        #expect(found.layerBytes == Descriptor.mostBytes * Manifest.mostLayers)
    }

    @Test("A manifest with too many layers is refused")
    func tooManyLayers() {
        let layers = Array(repeating: layer("1"), count: Manifest.mostLayers + 1).joined(separator: ",")
        #expect(
            problem(manifest(#""config":\#(configuration),"layers":[\#(layers)]"#))
                == "The manifest cannot be used: layers cannot be read: it has more than 4096 elements.")
    }

    @Test("A document that is too large, too deep or has a long key is refused")
    func bounds() {
        let space = String(repeating: " ", count: ManifestDocument.mostBytes)
        #expect(problem(manifest(space + #""layers":[]"#)) == "The manifest is larger than 4194304 bytes.")
        let deep = String(repeating: "[", count: 100_000)
        #expect(problem(manifest(#""layers":\#(deep)"#)) == "The manifest is nested more than 32 times.")
        let key = String(repeating: "\u{301}", count: 100_000)
        #expect(problem(manifest(#""\#(key)":1"#)) == "The manifest has a key that is longer than 256 bytes.")
    }

    @Test("Schema 1 is refused with a sentence")
    func schema1() {
        let sentence =
            "The manifest has schema 1, which is not supported because its layers have no reliable digests. Push the image again with a current tool."
        #expect(problem(Array(#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#.utf8)) == sentence)
        #expect(problem(manifest(#""mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws""#)) == sentence)
    }

    @Test("A document that is a manifest and an index at once is refused")
    func ambiguous() {
        #expect(
            problem(manifest(#""config":\#(configuration),"layers":[],"manifests":[]"#))
                == "The manifest is a manifest and an index at once.")
        #expect(problem(manifest(#""manifests":[]"#), mediaType: .ociManifest) != nil)
        #expect(
            problem(manifest(#""mediaType":"application/vnd.oci.image.index.v1+json","config":\#(configuration),"layers":[]"#)) != nil)
    }

    @Test(
        "A document that is no manifest is refused",
        arguments: ["", "null", "[]", "{}", "{\"schemaVersion\":2}", "<html>", "{\"schemaVersion\":2,\"layers\":{}}"])
    func noManifest(text: String) {
        #expect(problem(Array(text.utf8)) != nil)
    }

    @Test("The problem of a manifest names the place")
    func place() {
        #expect(
            problem(manifest(#""config":\#(configuration),"layers":[{"mediaType":"x","digest":"sha256:12","size":1}]"#))
                == "The manifest cannot be used: layers[0].digest cannot be read: "
                + "The digest \"sha256:12\" does not have 64 lowercase hexadecimal digits after the colon.")
        #expect(problem(manifest(#""layers":[]"#)) == "The manifest cannot be used: config is missing.")
    }

    private func index(_ platforms: [String]) -> ImageIndex {
        let entries = platforms.map { platform in
            #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:\#(hex)","size":1,"platform":\#(platform)}"#
        }
        guard case .index(let index)? = try? ManifestDocument(manifest(#""manifests":[\#(entries.joined(separator: ","))]"#)).content else {
            return ImageIndex(manifests: [])
        }
        return index
    }

    @Test("The manifest for exactly one platform is chosen from an index")
    func choice() throws {
        let index = index([
            #"{"os":"unknown","architecture":"unknown"}"#, #"{"os":"linux","architecture":"arm64","variant":"v8"}"#,
            #"{"os":"linux","architecture":"arm","variant":"v6"}"#, #"{"os":"","architecture":""}"#,
        ])
        #expect(try index.manifest(for: Platform("arm64")).platform == Platform("linux/arm64"))
        #expect(
            throws: ImageProblem(
                .platformNotFound, "The image has nothing for linux/arm/v7. It has linux/arm/v6, linux/arm64, unknown/unknown.")
        ) {
            try index.manifest(for: Platform("armhf"))
        }
    }

    @Test("An index inside of an index is not chosen")
    func nested() throws {
        let platform = try Platform("amd64")
        let inner = ManifestDocument(ImageIndex(manifests: []))
        let outer = ImageIndex(manifests: [inner.descriptor(platform: platform)])
        #expect(throws: ImageProblem.self) { try outer.manifest(for: platform) }
    }
}

@Suite("Configurations of images")
struct ConfigurationTests {
    @Test("A configuration is read")
    func reads() throws {
        let text = #"""
            {"architecture":"arm","os":"linux","variant":"v7","config":{"Labels":{"a":"b"}},"created":"2026-11-28T12:00:00Z",
             "rootfs":{"type":"layers","diff_ids":["sha256:\#(hex)"]},
             "history":[{"created_by":"ADD rootfs.tar /"},{"created_by":"CMD [\"sh\"]","empty_layer":true}]}
            """#
        let configuration = try ImageConfiguration(Array(text.utf8))
        #expect(configuration.platform == (try Platform("armhf")))
        #expect(configuration.diffIDs.map(\.hex) == [hex])
        #expect(configuration.history.map(\.isEmpty) == [false, true])
        #expect(configuration.labels == ["a": "b"])
        #expect(throws: ImageProblem(.badDocument, "The manifest has 0 layers, and the configuration of the image has 1.")) {
            try configuration.verify(Manifest(configuration: Descriptor(of: [], mediaType: .ociConfiguration), layers: []))
        }
    }

    @Test("Members that are null count as absent")
    func null() throws {
        let text = #"{"architecture":"amd64","os":"linux","config":null,"history":null,"rootfs":{"diff_ids":null}}"#
        #expect(try ImageConfiguration(Array(text.utf8)).diffIDs.isEmpty)
    }

    @Test("A configuration without a platform is refused")
    func noPlatform() {
        #expect(throws: ImageProblem(.badDocument, "The configuration of the image cannot be used: os is missing.")) {
            try ImageConfiguration(Array(#"{"rootfs":{"diff_ids":[]}}"#.utf8))
        }
    }
}
