import Compression
import Glibc
import SystemPackage

/// The file behind a ``MetadataIndex``. It maps each pkgid to the byte ranges of its elements, and is
/// sorted by pkgid.
///
/// All numbers are little endian. The file consists of these parts:
///
/// - Signature (8 bytes), version (4) and number of entries (4).
/// - Sizes of the three documents (8 each), 0 for a missing document.
/// - Entries, each with the key (32) and three times offset (8) and length (4).
/// - SHA-256 of all preceding bytes (32).
///
/// A file counts as missing if it has another version, belongs to documents of other sizes, or has
/// another digest.
struct IndexTable: Sendable {
    /// The byte ranges of one package in the three documents. A range is empty if the repository does not
    /// have the document or the document does not have the package.
    struct Ranges {
        private var ranges = InlineArray<3, Range<Int>>(repeating: 0..<0)

        subscript(document: MetadataDocument) -> Range<Int> {
            get { ranges[document.position] }
            set { ranges[document.position] = newValue }
        }
    }

    struct Entry {
        let key: PackageKey
        var ranges = Ranges()

        init(key: PackageKey, primary: Range<Int>) {
            self.key = key
            ranges[.primary] = primary
        }
    }

    private static let signature = Array("rpmmd-ix".utf8)
    private static let version: UInt32 = 1
    private static let headerSize = 8 + 4 + 4 + 3 * 8
    private static let entrySize = PackageKey.size + 3 * (8 + 4)
    private static let digestSize = 32

    private let file: MappedFile
    let count: Int

    /// Returns whether the file at `path` is still the one that was opened.
    func isStill(at path: FilePath) -> Bool { file.isStill(at: path) }

    /// Opens the table. Returns `nil` if there is no file or the file does not fit the documents.
    init?(opening path: FilePath, documentSizes: [Int]) {
        // A file with any defect is made again. A defect of the disk shows at that point.
        guard let file = try? MappedFile.shared(path), file.bytes.count >= Self.headerSize + Self.digestSize else { return nil }
        let bytes = file.bytes
        guard bytes.starts(with: Self.signature), Self.number(bytes, at: 8, UInt32.self) == Self.version else { return nil }
        let count = Int(Self.number(bytes, at: 12, UInt32.self))
        guard bytes.count == Self.headerSize + count * Self.entrySize + Self.digestSize,
            documentSizes.indices.allSatisfy({ Self.number(bytes, at: 16 + 8 * $0, UInt64.self) == UInt64(documentSizes[$0]) })
        else { return nil }
        if !IntactFiles.contains(file.identity) {
            let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Self.digestSize))
            guard bytes.suffix(Self.digestSize).elementsEqual(Self.digest(content)) else { return nil }
            IntactFiles.insert(file.identity)
        }
        self.file = file
        self.count = count
    }

    /// Writes `entries`, which must be sorted. A reader sees either the old file or the whole new one.
    static func write(_ entries: [Entry], documentSizes: [Int], to path: FilePath) throws(RepodataError) {
        var bytes: [UInt8] = signature
        bytes.reserveCapacity(headerSize + entries.count * entrySize + digestSize)
        append(version, to: &bytes)
        guard let count = UInt32(exactly: entries.count) else {
            throw RepodataError(.tooLarge, "the repository has \(entries.count) packages")
        }
        append(count, to: &bytes)
        for size in documentSizes { append(UInt64(size), to: &bytes) }
        for entry in entries {
            entry.key.append(to: &bytes)
            for document in MetadataDocument.allCases {
                append(UInt64(entry.ranges[document].lowerBound), to: &bytes)
                guard let count = UInt32(exactly: entry.ranges[document].count) else {
                    throw RepodataError(.tooLarge, "\(document.rawValue) has a package whose element is larger than 4 GiB")
                }
                append(count, to: &bytes)
            }
        }
        let digest = bytes.withUnsafeBytes { Self.digest($0) }
        bytes += digest
        try AtomicFile.write(bytes, to: path)
    }

    /// Returns the ranges of `key`, or `nil` if the table does not have it.
    func ranges(of key: PackageKey) -> Ranges? { number(of: key).map(ranges) }

    /// Returns the key of an entry.
    func key(at index: Int) -> PackageKey { PackageKey(file.bytes, at: Self.headerSize + index * Self.entrySize) }

    /// Returns the range of an entry in `document`.
    func range(at index: Int, of document: MetadataDocument) -> Range<Int> {
        let offset = Self.headerSize + index * Self.entrySize + PackageKey.size + 12 * document.position
        let start = Int(Self.number(file.bytes, at: offset, UInt64.self))
        return start..<start + Int(Self.number(file.bytes, at: offset + 8, UInt32.self))
    }

    /// Returns the number of the entry of `key`, or `nil` if the table does not have it. Uses binary
    /// search.
    func number(of key: PackageKey) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let found = self.key(at: middle)
            if found == key { return middle }
            if found < key { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private func ranges(at index: Int) -> Ranges {
        var ranges = Ranges()
        for document in MetadataDocument.allCases { ranges[document] = range(at: index, of: document) }
        return ranges
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int, _: Number.Type) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let key = PackageKey(Digest.of(bytes, .sha256))
        var digest: [UInt8] = []
        key?.append(to: &digest)
        return digest
    }
}

extension MetadataDocument {
    var position: Int {
        switch self {
        case .primary: 0
        case .filelists: 1
        case .other: 2
        }
    }
}
