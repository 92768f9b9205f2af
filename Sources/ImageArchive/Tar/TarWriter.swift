/// A *byte sink* receives the bytes of a file that is being written.
public protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError)
}

/// Writes a tar archive in ustar format, with pax headers for paths and links that do not fit.
///
/// Equal entries give equal archives. The headers contain no names of users and no time but that of
/// the entry.
///
///     let writer = TarWriter(to: sink)
///     try writer.add(TarEntry(file: "manifest.json", size: bytes.count), bytes)
///     try writer.finish()
public struct TarWriter {
    private let sink: any ByteSink

    public init(to sink: any ByteSink) { self.sink = sink }

    /// Writes an entry with its whole content. The size of the content counts, not `entry.size`.
    public func add(_ entry: TarEntry, _ content: [UInt8] = []) throws(ImageArchiveError) {
        var entry = entry
        entry.size = content.count
        try begin(entry)
        try content.withRawBytes { (bytes) throws(ImageArchiveError) in try sink.write(bytes) }
        try end(size: content.count)
    }

    /// Writes the header of an entry. The caller writes `entry.size` bytes of content to the sink, and
    /// then calls ``end(size:)``.
    public func begin(_ entry: TarEntry) throws(ImageArchiveError) { try write(Self.header(entry)) }

    /// Fills the last block of an entry whose content has `size` bytes.
    public func end(size: Int) throws(ImageArchiveError) { try write([UInt8](repeating: 0, count: TarReader.padding(size))) }

    /// Ends the archive with two blocks of zeros.
    public func finish() throws(ImageArchiveError) { try write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize)) }

    private func write(_ bytes: [UInt8]) throws(ImageArchiveError) {
        try bytes.withRawBytes { (bytes) throws(ImageArchiveError) in try sink.write(bytes) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) { try sink.write(bytes) }
}

extension TarWriter {
    /// Returns the header of an entry, with a pax header before it if one is needed.
    static func header(_ entry: TarEntry) -> [UInt8] {
        var records: [UInt8] = []
        if entry.path.count > 100 { records += PaxRecords.record("path", entry.path) }
        if entry.link.count > 100 { records += PaxRecords.record("linkpath", entry.link) }
        let header = block(entry, typeFlag: typeFlag(entry.kind))
        guard !records.isEmpty else { return header }
        var pax = TarEntry(file: "pax", size: records.count)
        pax.modified = entry.modified
        return block(pax, typeFlag: UInt8(ascii: "x")) + records + [UInt8](repeating: 0, count: TarReader.padding(records.count)) + header
    }

    /// Returns the one block that is the header of an entry with a short path and no link. Its size is
    /// fixed, so it can be written after the content. GNU's base 256 holds a size of 8 GiB or more.
    static func block(_ entry: TarEntry, typeFlag: UInt8 = UInt8(ascii: "0")) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        put(entry.path.prefix(100), at: 0)
        put(TarNumber.field(Int(entry.mode), width: 8), at: 100)
        put(TarNumber.field(entry.owner, width: 8), at: 108)
        put(TarNumber.field(entry.group, width: 8), at: 116)
        put(TarNumber.field(entry.size, width: 12), at: 124)
        put(TarNumber.field(entry.modified, width: 12), at: 136)
        put(Array("        ".utf8), at: 148)
        block[156] = typeFlag
        put(entry.link.prefix(100), at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(TarNumber.field(sum, width: 7) + [UInt8(ascii: " ")], at: 148)
        return block
    }

    private static func typeFlag(_ kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        case .other(let flag): flag
        }
    }
}
