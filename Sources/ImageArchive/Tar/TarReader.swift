/// A *tar visitor* receives the entries of an archive, in order, from a ``TarReader``.
public protocol TarVisitor: AnyObject {
    /// An entry begins. The bytes of its content follow, and then ``endEntry()``.
    func begin(_ entry: TarEntry) throws(ImageArchiveError)
    /// Receives a piece of the entry's content. The bytes are valid during the call only.
    func content(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError)
    func endEntry() throws(ImageArchiveError)
}

/// Reads a tar archive whose bytes are pushed in pieces of any size. Needs no more memory than the
/// metadata of one entry.
///
/// It understands V7, ustar, GNU (long names, base-256 numbers) and pax headers. It refuses sparse
/// files and archives of several volumes. Everything else is bounded by ``TarLimits``.
///
///     var reader = TarReader()
///     while let piece = next() { try reader.read(piece, visitor) }
///     try reader.finish()
public struct TarReader {
    private enum Position {
        /// Bytes of a header follow. Some may already be in `block`.
        case header
        /// Metadata of the next entry follows: so many bytes and so many bytes of padding.
        case metadata(Metadata, remaining: Int, padding: Int)
        /// Content of the current entry follows.
        case content(remaining: Int, padding: Int)
        /// One block of zeros was read. A second one ends the archive.
        case zeroBlock
        case end
    }

    /// The kinds of entries that only describe the next entry.
    private enum Metadata {
        case pax, globalPax, longPath, longLink
    }

    private let limits: TarLimits
    private var position = Position.header
    private var block: [UInt8] = []
    private var metadata: [UInt8] = []
    private var pax: PaxRecords?
    private var longPath: [UInt8]?
    private var longLink: [UInt8]?
    private var metadataOfEntry = 0
    private var metadataCount = 0
    private var entryCount = 0
    private var byteCount = 0

    public init(limits: TarLimits = TarLimits()) {
        self.limits = limits
        block.reserveCapacity(TarHeader.blockSize)
    }

    /// Whether the end of the archive was read. Bytes after it are ignored.
    public var isAtEnd: Bool { if case .end = position { true } else { false } }

    /// Reads the next bytes of the archive.
    public mutating func read(_ bytes: UnsafeRawBufferPointer, _ visitor: some TarVisitor) throws(ImageArchiveError) {
        byteCount += bytes.count
        guard byteCount <= limits.bytes else {
            throw ImageArchiveError(.tooLarge, "The archive has more than \(limits.bytes) bytes, the most that is accepted.")
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            switch position {
            case .header, .zeroBlock: try readHeader(&rest, visitor)
            case .metadata(let kind, let remaining, let padding): try readMetadata(kind, remaining, padding, &rest)
            case .content(let remaining, let padding): try readContent(remaining, padding, &rest, visitor)
            case .end: return
            }
        }
    }

    /// Throws `.truncated` if the archive may not end here.
    public func finish() throws(ImageArchiveError) {
        switch position {
        case .header where block.isEmpty && pax == nil && longPath == nil && longLink == nil: return
        case .zeroBlock where block.isEmpty: return
        case .end: return
        default: throw ImageArchiveError(.truncated, "The tar archive ends in the middle of an entry.")
        }
    }

    // MARK: Headers

    private mutating func readHeader(
        _ rest: inout Slice<UnsafeRawBufferPointer>, _ visitor: some TarVisitor
    ) throws(ImageArchiveError) {
        let piece = rest.prefix(TarHeader.blockSize - block.count)
        block.append(contentsOf: piece)
        rest = rest.dropFirst(piece.count)
        guard block.count == TarHeader.blockSize else { return }
        defer { block.removeAll(keepingCapacity: true) }
        let isZero = block.allSatisfy { $0 == 0 }
        if case .zeroBlock = position {
            guard isZero else { throw ImageArchiveError(.malformed, "The tar archive has bytes after its end.") }
            position = .end
        } else if isZero {
            position = .zeroBlock
        } else {
            try begin(try block.withRawBytes { (block) throws(ImageArchiveError) in try TarHeader(block) }, visitor)
        }
    }

    private mutating func begin(_ header: TarHeader, _ visitor: some TarVisitor) throws(ImageArchiveError) {
        switch header.typeFlag {
        // Solaris writes pax headers as X.
        case UInt8(ascii: "x"), UInt8(ascii: "X"): try beginMetadata(.pax, header.entry)
        case UInt8(ascii: "g"): try beginMetadata(.globalPax, header.entry)
        case UInt8(ascii: "L"): try beginMetadata(.longPath, header.entry)
        case UInt8(ascii: "K"): try beginMetadata(.longLink, header.entry)
        case UInt8(ascii: "S"): throw Self.sparse(header.entry)
        case UInt8(ascii: "M"):
            throw ImageArchiveError(.unsupported, "The archive is one volume of several, which are not read.")
        default: try beginEntry(header.entry, visitor)
        }
    }

    private mutating func beginEntry(_ header: TarEntry, _ visitor: some TarVisitor) throws(ImageArchiveError) {
        var entry = header
        if let longPath { entry.path = longPath }
        if let longLink { entry.link = longLink }
        if let pax {
            entry.path = pax.path ?? entry.path
            entry.link = pax.link ?? entry.link
            entry.size = pax.size ?? entry.size
            entry.owner = pax.owner ?? entry.owner
            entry.group = pax.group ?? entry.group
            entry.modified = pax.modified ?? entry.modified
            guard !pax.isSparse else { throw Self.sparse(entry) }
        }
        guard entry.size >= 0 else { throw entry.negativeSize }
        (pax, longPath, longLink, metadataOfEntry) = (nil, nil, nil, 0)
        switch entry.kind {
        case .file, .other: break
        // As in GNU tar and Go, these have no content, even if the header gives a size.
        default: entry.size = 0
        }
        entryCount += 1
        guard entryCount <= limits.entries else {
            throw ImageArchiveError(.tooLarge, "The archive has more than \(limits.entries) entries, the most that is accepted.")
        }
        guard entry.size <= limits.bytes else {
            throw ImageArchiveError(
                .tooLarge, "The entry \(entry.shownPath) has \(entry.size) bytes, but \(limits.bytes) is the most that is accepted.")
        }
        try visitor.begin(entry)
        if entry.size == 0 {
            position = .header
            try visitor.endEntry()
        } else {
            position = .content(remaining: entry.size, padding: Self.padding(entry.size))
        }
    }

    static func padding(_ size: Int) -> Int { -size & (TarHeader.blockSize - 1) }

    private static func sparse(_ entry: TarEntry) -> ImageArchiveError {
        ImageArchiveError(.unsupported, "The entry \(entry.shownPath) is a sparse file in a format of GNU tar, which is not read.")
    }

    // MARK: Content and metadata

    private mutating func readContent(
        _ remaining: Int, _ padding: Int, _ rest: inout Slice<UnsafeRawBufferPointer>, _ visitor: some TarVisitor
    ) throws(ImageArchiveError) {
        if remaining > 0 {
            let piece = rest.prefix(remaining)
            rest = rest.dropFirst(piece.count)
            position = .content(remaining: remaining - piece.count, padding: padding)
            try visitor.content(UnsafeRawBufferPointer(rebasing: piece))
            guard piece.count == remaining else { return }
            try visitor.endEntry()
        }
        let skipped = min(padding, rest.count)
        rest = rest.dropFirst(skipped)
        position = skipped == padding ? .header : .content(remaining: 0, padding: padding - skipped)
    }

    private mutating func beginMetadata(_ kind: Metadata, _ header: TarEntry) throws(ImageArchiveError) {
        guard header.size <= limits.metadataOfEntry - metadataOfEntry else {
            throw ImageArchiveError(
                .tooLarge, "An entry has more than \(limits.metadataOfEntry) bytes of metadata, the most that is accepted.")
        }
        // A header counts too, so that entries of metadata without content are bounded.
        metadataOfEntry += header.size + TarHeader.blockSize
        metadataCount += header.size + TarHeader.blockSize
        guard metadataCount <= limits.metadata else {
            throw ImageArchiveError(
                .tooLarge, "The archive has more than \(limits.metadata) bytes of metadata, the most that is accepted.")
        }
        metadata.removeAll(keepingCapacity: true)
        position = .metadata(kind, remaining: header.size, padding: Self.padding(header.size))
        if header.size == 0 { try endMetadata(kind) }
    }

    private mutating func readMetadata(
        _ kind: Metadata, _ remaining: Int, _ padding: Int, _ rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(ImageArchiveError) {
        let piece = rest.prefix(remaining)
        metadata.append(contentsOf: piece)
        rest = rest.dropFirst(piece.count)
        let skipped = piece.count == remaining ? min(padding, rest.count) : 0
        rest = rest.dropFirst(skipped)
        position = .metadata(kind, remaining: remaining - piece.count, padding: padding - skipped)
        if piece.count == remaining, skipped == padding { try endMetadata(kind) }
    }

    private mutating func endMetadata(_ kind: Metadata) throws(ImageArchiveError) {
        position = .header
        switch kind {
        case .pax: pax = try PaxRecords(metadata)
        case .longPath: longPath = Array(metadata.prefix { $0 != 0 })
        case .longLink: longLink = Array(metadata.prefix { $0 != 0 })
        case .globalPax:
            let records = try PaxRecords(metadata)
            guard records.path == nil, records.link == nil, records.size == nil, !records.isSparse else {
                throw ImageArchiveError(.forbidden, "A global pax header of the archive sets the path, link or size of every entry.")
            }
            metadataOfEntry = 0
        }
    }
}
