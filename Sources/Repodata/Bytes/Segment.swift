import Compression
import Glibc
import SystemPackage

/// One file of a ``SegmentStore``, with values sorted by their keys. It is written once and never
/// changes.
///
/// All numbers are little endian. The file consists of these parts:
///
/// - Signature (8 bytes), number of entries (4) and CRC-32 of the table (4).
/// - The table, with the key (32) of each value, its offset (8), its length (4) and its CRC-32 (4).
/// - The values.
struct Segment: Sendable {
    struct Entry {
        let key: PackageKey
        let length: Int
        let checksum: UInt32
        let value: Value
    }

    enum Value {
        case bytes([UInt8])
        case inside(Segment, Range<Int>)
    }

    private static let signature = Array("odcs-sg1".utf8)
    private static let headerSize = 16
    private static let entrySize = PackageKey.size + 16

    let name: String
    let count: Int
    private let file: MappedFile

    /// The size of the file in bytes.
    var size: Int { file.bytes.count }

    /// Opens a segment. Returns `nil` if the file is incomplete, damaged, or not a segment. Throws `.io` if
    /// it cannot be read.
    init?(opening path: FilePath) throws(RepodataError) {
        let file = try MappedFile(path)
        let bytes = file.bytes
        guard bytes.count >= Self.headerSize, bytes.starts(with: Self.signature) else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        let tableEnd = Self.headerSize + count * Self.entrySize
        guard bytes.count >= tableEnd,
            Self.checksum(UnsafeRawBufferPointer(rebasing: bytes[Self.headerSize..<tableEnd]))
                == UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        else { return nil }
        name = path.shortName
        self.count = count
        self.file = file
    }

    /// Returns the value of `key`, or `nil` if it is missing or damaged.
    func value(of key: PackageKey) -> [UInt8]? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let found = self.key(at: middle)
            if found == key { return entry(at: middle).map { Array(file.bytes[$0.range]) } }
            if found < key { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// All undamaged entries, in the order of their keys.
    var entries: [Entry] {
        (0..<count).compactMap { index in
            entry(at: index).map {
                Entry(key: key(at: index), length: $0.range.count, checksum: $0.checksum, value: .inside(self, $0.range))
            }
        }
    }

    private func key(at index: Int) -> PackageKey { PackageKey(file.bytes, at: Self.headerSize + index * Self.entrySize) }

    private func entry(at index: Int) -> (range: Range<Int>, checksum: UInt32)? {
        let place = Self.headerSize + index * Self.entrySize + PackageKey.size
        let offset = UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        let length = UInt64(UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt32.self)))
        let checksum = UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place + 12, as: UInt32.self))
        guard offset <= UInt64(file.bytes.count), length <= UInt64(file.bytes.count) - offset else { return nil }
        let range = Int(offset)..<Int(offset + length)
        guard Self.checksum(UnsafeRawBufferPointer(rebasing: file.bytes[range])) == checksum else { return nil }
        return (range, checksum)
    }
}

extension Segment {
    /// Writes `entries`, whose keys must all be different. The file appears under its name only when it is
    /// complete and flushed to disk.
    static func write(_ entries: [Entry], to path: FilePath) throws(RepodataError) {
        let entries = entries.sorted { $0.key < $1.key }
        var table: [UInt8] = []
        table.reserveCapacity(entries.count * entrySize)
        var offset = headerSize + entries.count * entrySize
        for entry in entries {
            entry.key.append(to: &table)
            append(UInt64(offset), to: &table)
            append(UInt32(entry.length), to: &table)
            append(entry.checksum, to: &table)
            offset += entry.length
        }
        var header = signature
        append(UInt32(entries.count), to: &header)
        append(table.withUnsafeBytes { checksum($0) }, to: &header)
        let temporary = FilePath(path.removingLastComponent().string).appending(
            ".\(path.shortName).\(UInt64.random(in: .min ... .max)).tmp")
        try RepodataError.io("the store of package headers") {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            do {
                try file.closeAfter {
                    try file.writeAll(header + table)
                    try write(entries.map(\.value), to: file)
                    guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
                }
                guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
            } catch {
                unlink(temporary.string)
                throw error
            }
        }
    }

    private static func write(_ values: [Value], to file: FileDescriptor) throws {
        var piece: [UInt8] = []
        for value in values {
            switch value {
            case .bytes(let bytes): piece += bytes
            case .inside(let segment, let range): piece += segment.file.bytes[range]
            }
            if piece.count >= 1 << 20 {
                try file.writeAll(piece)
                piece.removeAll(keepingCapacity: true)
            }
        }
        try file.writeAll(piece)
    }

    /// Returns the CRC-32 of `bytes`. It only has to detect damage. An attacker who can write the file
    /// would not need to forge it.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        CRC32.of(bytes)
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
