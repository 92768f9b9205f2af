import Foundation
import ImageArchive
import ImageModel
import SystemPackage

/// An image with small layers, as a registry has it.
struct TestImage {
    let layers: [TestLayer]
    let configuration: [UInt8]
    let manifest: Manifest
    var document: ManifestDocument { ManifestDocument(manifest) }

    /// Creates an image. The configuration names the layers' real digests, unless `diffIDs` has others.
    init(_ layers: [TestLayer], diffIDs: [ImageDigest]? = nil) {
        self.layers = layers
        let ids = (diffIDs ?? layers.map(\.diffID)).map { "\"\($0)\"" }.joined(separator: ",")
        configuration = Array(
            #"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[\#(ids)]}}"#.utf8)
        manifest = Manifest(
            configuration: Descriptor(of: configuration, mediaType: .ociConfiguration), layers: layers.map(\.descriptor))
    }

    /// Writes all layers that a writer asks for, in pieces.
    func write(to writer: any ArchiveWriter, finishes: Bool = true) throws {
        while let blob = writer.nextBlob {
            let layer = layers.first { $0.descriptor == blob }!
            var rest = layer.bytes[...]
            while !rest.isEmpty {
                try rest.prefix(10_000).withUnsafeBytes { try writer.write($0) }
                rest = rest.dropFirst(10_000)
            }
            try writer.endBlob()
        }
        if finishes { try writer.finish() }
    }

    /// An image with two different layers and one that is there twice.
    static func sample() throws -> TestImage {
        let one = try TestLayer([(.file("one"), String(repeating: "one\n", count: 100_000)), (.directory("d/"), "")])
        let two = try TestLayer([(.file("d/two"), "two")])
        return TestImage([one, two, two])
    }
}
