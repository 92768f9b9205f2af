import ImageArchive
import ImageModel

/// A visitor that keeps all entries and their contents.
final class TarCollector: TarVisitor {
    private(set) var entries: [TarEntry] = []
    private(set) var contents: [[UInt8]] = []

    func begin(_ entry: TarEntry) {
        entries.append(entry)
        contents.append([])
    }

    func content(_ bytes: UnsafeRawBufferPointer) { contents[contents.count - 1].append(contentsOf: bytes) }

    func endEntry() {}

    var names: [String] { entries.map { String(decoding: $0.path, as: UTF8.self) } }

    subscript(_ name: String) -> (entry: TarEntry, content: [UInt8])? {
        names.lastIndex(of: name).map { (entries[$0], contents[$0]) }
    }

    /// Reads an archive in pieces of `step` bytes.
    static func read(_ bytes: [UInt8], limits: TarLimits = TarLimits(), step: Int = 1000) throws -> TarCollector {
        let collector = TarCollector()
        var reader = TarReader(limits: limits)
        var rest = bytes[...]
        while !rest.isEmpty {
            try rest.prefix(step).withUnsafeBytes { try reader.read($0, collector) }
            rest = rest.dropFirst(step)
        }
        try reader.finish()
        return collector
    }
}

/// A sink that keeps all bytes.
final class MemorySink: ByteSink {
    private(set) var bytes: [UInt8] = []

    func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }

    /// Returns the archive of entries with their contents.
    static func tar(_ entries: [(TarEntry, String)]) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = TarWriter(to: sink)
        for (entry, content) in entries { try writer.add(entry, Array(content.utf8)) }
        try writer.finish()
        return sink.bytes
    }
}

extension TarEntry {
    static func file(_ path: String, mode: UInt16 = 0o644) -> TarEntry {
        var entry = TarEntry(.file, path: Array(path.utf8))
        entry.mode = mode
        return entry
    }

    static func directory(_ path: String) -> TarEntry {
        var entry = TarEntry(.directory, path: Array(path.utf8))
        entry.mode = 0o755
        return entry
    }

    static func link(_ kind: Kind, _ path: String, to target: String) -> TarEntry {
        var entry = TarEntry(kind, path: Array(path.utf8))
        entry.link = Array(target.utf8)
        return entry
    }
}

/// A layer in memory, as a registry has it.
struct TestLayer {
    let bytes: [UInt8]
    let descriptor: Descriptor
    let diffID: ImageDigest

    /// Creates an uncompressed layer.
    init(_ entries: [(TarEntry, String)]) throws { self.init(plain: try MemorySink.tar(entries)) }

    init(plain: [UInt8]) { self.init(plain: plain, plain, .ociLayer) }

    init(plain: [UInt8], _ bytes: [UInt8], _ mediaType: MediaType) {
        self.bytes = bytes
        descriptor = Descriptor(of: bytes, mediaType: mediaType)
        diffID = ImageDigest(of: plain)
    }

    /// The bytes as a registry sends them, in pieces.
    var chunks: AsyncStream<[UInt8]> {
        AsyncStream { stream in
            var rest = bytes[...]
            while !rest.isEmpty {
                stream.yield(Array(rest.prefix(70_000)))
                rest = rest.dropFirst(70_000)
            }
            stream.finish()
        }
    }
}
