public import Foundation
public import ImageModel

/// A small image, which is assembled in memory.
public struct SmallImage: Sendable {
    public let configuration: [UInt8]
    public let layers: [[UInt8]]
    public let document: ManifestDocument

    /// - Parameter files: The name and the content of the file of each layer.
    public init(
        platform: Platform = .host, files: [(name: String, content: [UInt8])] = [("hello.txt", Array("hello\n".utf8))],
        config: String = "{}"
    ) {
        self.init(platform: platform, layers: files.map { Self.tar($0.name, $0.content) }, config: config)
    }

    /// - Parameters:
    ///   - layers: A tar for each layer.
    ///   - config: The settings of containers, as JSON.
    public init(platform: Platform = .host, layers: [[UInt8]], config: String = "{}") {
        self.layers = layers
        let diffIDs = layers.map { "\"\(ImageDigest(of: $0))\"" }.joined(separator: ",")
        let variant = platform.variant.map { ",\"variant\":\"\($0)\"" } ?? ""
        configuration = Array(
            #"{"architecture":"\#(platform.architecture)","os":"\#(platform.os)"\#(variant),"config":\#(config),"rootfs":{"type":"layers","diff_ids":[\#(diffIDs)]}}"#
                .utf8)
        document = ManifestDocument(
            Manifest(
                configuration: Descriptor(of: configuration, mediaType: .ociConfiguration),
                layers: layers.map { Descriptor(of: $0, mediaType: .ociLayer) }))
    }

    /// The configuration and the layers with their descriptors.
    public var blobs: [(descriptor: Descriptor, bytes: [UInt8])] {
        guard case .manifest(let manifest) = document.content else { return [] }
        return Array(zip([manifest.configuration] + manifest.layers, [configuration] + layers)).map { ($0, $1) }
    }

    /// Writes the image as an OCI layout, for `skopeo copy oci:DIRECTORY:TAG`.
    public func writeLayout(to directory: URL, tag: String) throws {
        let folder = directory.appending(path: "blobs/sha256")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for bytes in blobs.map(\.bytes) + [document.bytes] {
            try Data(bytes).write(to: folder.appending(path: ImageDigest(of: bytes).hex))
        }
        try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: directory.appending(path: "oci-layout"))
        let index = ImageIndex(manifests: [document.descriptor(annotations: ["org.opencontainers.image.ref.name": tag])])
        try Data(ManifestDocument(index).bytes).write(to: directory.appending(path: "index.json"))
    }

    /// Returns a tar with one file, in the form ustar.
    public static func tar(_ name: String, _ content: [UInt8]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func write(_ text: String, at place: Int) { header.replaceSubrange(place..<(place + text.utf8.count), with: text.utf8) }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        write(String(name.prefix(100)), at: 0)
        write("0000644\0" + "0000000\0" + "0000000\0" + octal(content.count, 11) + "\0" + octal(0, 11) + "\0" + "        " + "0", at: 100)
        write("ustar\u{0}00", at: 257)
        write(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512 + 1024)
        return header + content + padding
    }
}
