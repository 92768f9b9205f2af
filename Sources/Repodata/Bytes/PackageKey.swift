import Compression

/// A package's `pkgid` as a number that can be sorted and compared. It consists of the first 32 bytes
/// of the digest. A shorter digest is padded with zeros at the end.
struct PackageKey: Hashable, Comparable {
    static let size = 32

    private let words: SIMD4<UInt64>

    /// Reads hexadecimal digits in either case. Returns `nil` if they are not those of a digest.
    init?(hex: some Collection<UInt8>) {
        guard Checksum.Algorithm.allCases.contains(where: { $0.hexLength == hex.count }) else { return nil }
        var words = SIMD4<UInt64>()
        var word: UInt64 = 0
        var position = 0
        for digit in hex.prefix(2 * Self.size) {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            word |= UInt64(value) << UInt64(60 - 4 * (position % 16))
            position += 1
            if position % 16 == 0 || position == hex.count {
                words[(position - 1) / 16] = word
                word = 0
            }
        }
        self.words = words
    }

    init?(_ pkgid: Checksum) {
        guard pkgid.hex.utf8.count == pkgid.algorithm.hexLength else { return nil }
        self.init(hex: pkgid.hex.utf8)
    }

    /// Reads a key that ``append(to:)`` wrote.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        var words = SIMD4<UInt64>()
        for index in 0..<4 { words[index] = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self)) }
        self.words = words
    }

    func append(to bytes: inout [UInt8]) {
        for index in 0..<4 { withUnsafeBytes(of: words[index].bigEndian) { bytes.append(contentsOf: $0) } }
    }

    static func < (a: PackageKey, b: PackageKey) -> Bool {
        for index in 0..<4 where a.words[index] != b.words[index] { return a.words[index] < b.words[index] }
        return false
    }
}
