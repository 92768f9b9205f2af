import CLinux
public import Compression

/// The `<package>` elements that an RPM's header alone determines, for the three documents of a
/// repository. The elements have holes for the values that depend on the file: its checksum, its size,
/// its location, and the position of the header in it.
///
/// Signed and unsigned copies of a package have the same header, so one value serves all of them. The
/// ``serialized`` form is the one that is kept on disk.
public struct PackageFragments: Hashable, Sendable {
    /// The values that depend on the file and fill the holes.
    public struct File: Hashable, Sendable {
        /// The file's SHA-256, which is the package's `pkgid`.
        public let pkgid: Checksum
        public let size: Int
        /// The offset of the main header in the file, in bytes.
        public let headerStart: Int
        /// The location of the file, relative to ``base``.
        public let href: String
        /// The `xml:base`: the URL below which the file lies. `nil` means that it lies below the repository
        /// itself.
        public let base: String?

        public init(pkgid: Checksum, size: Int, headerStart: Int, href: String, base: String? = nil) {
            self.pkgid = pkgid
            self.size = size
            self.headerStart = headerStart
            self.href = href
            self.base = base
        }
    }

    enum Hole: UInt32, CaseIterable {
        case pkgid, size, headerStart, headerEnd, href
    }

    /// The text of one document's element, without the values of the holes.
    struct Fragment {
        let text: Range<Int>
        /// The holes in ascending order. Each offset counts from the start of ``text``.
        let holes: [(offset: Int, hole: Hole)]
    }

    /// The fragments as bytes. All numbers are little endian, with four bytes each.
    ///
    /// First comes the size of the header. Then each document has the length of its text, its number of
    /// holes, and for each hole its offset and kind. The texts follow at the end.
    public let serialized: [UInt8]
    /// The size of the main header in bytes.
    public let headerSize: Int
    private let fragments: InlineArray<3, Fragment>

    /// Reads the bytes of a ``serialized`` value. Returns `nil` if they do not have its format.
    public init?(serialized bytes: [UInt8]) {
        var position = 0
        func number() -> Int? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            return Int(bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self)) })
        }
        guard let headerSize = number() else { return nil }
        var found: [(length: Int, holes: [(offset: Int, hole: Hole)])] = []
        for _ in MetadataDocument.allCases {
            guard let length = number(), let count = number(), count <= Hole.allCases.count else { return nil }
            var holes: [(offset: Int, hole: Hole)] = []
            for _ in 0..<count {
                guard let offset = number(), let kind = number(), let hole = Hole(rawValue: UInt32(kind)), offset <= length,
                    offset >= holes.last?.offset ?? 0
                else { return nil }
                holes.append((offset, hole))
            }
            found.append((length, holes))
        }
        guard position + found.reduce(0, { $0 + $1.length }) == bytes.count else { return nil }
        fragments = InlineArray { index in
            defer { position += found[index].length }
            return Fragment(text: position..<position + found[index].length, holes: found[index].holes)
        }
        self.headerSize = headerSize
        serialized = bytes
    }

    /// Appends the element of `document` for the package in `file`.
    public func append(_ document: MetadataDocument, for file: File, to output: inout [UInt8]) {
        let fragment = fragments[document.position]
        var position = fragment.text.lowerBound
        for (offset, hole) in fragment.holes {
            output += serialized[position..<fragment.text.lowerBound + offset]
            position = fragment.text.lowerBound + offset
            switch hole {
            case .pkgid: output += file.pkgid.hex.utf8
            case .size: output += String(file.size).utf8
            case .headerStart: output += String(file.headerStart).utf8
            case .headerEnd: output += String(file.headerStart + headerSize).utf8
            case .href:
                Self.append(escaping: file.href, to: &output)
                if let base = file.base {
                    // The hole is the value of an attribute, so another attribute follows it.
                    output += "\" xml:base=\"".utf8
                    Self.append(escaping: base, to: &output)
                }
            }
        }
        output += serialized[position..<fragment.text.upperBound]
    }

    private static func append(escaping text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output += "&amp;".utf8
            case UInt8(ascii: "<"): output += "&lt;".utf8
            case UInt8(ascii: ">"): output += "&gt;".utf8
            case UInt8(ascii: "\""): output += "&quot;".utf8
            default: output.append(byte)
            }
        }
    }

    public static func == (a: PackageFragments, b: PackageFragments) -> Bool { a.serialized == b.serialized }

    public func hash(into hasher: inout Hasher) { hasher.combine(serialized) }
}

extension PackageFragments {
    /// Placeholders that are written into the holes and then found again. They are random, so that no
    /// package can contain one.
    private struct Marks {
        let pkgid = Checksum(.sha256, hex: (0..<4).map { _ in Self.digits(16, radix: 16) }.joined())
        let href = "odcs-\(Self.digits(16, radix: 16))\(Self.digits(16, radix: 16))"
        let size = Int.random(in: 100_000_000_000_000_000..<200_000_000_000_000_000)
        let headerStart = Int.random(in: 200_000_000_000_000_000..<300_000_000_000_000_000)
        let headerEnd = Int.random(in: 300_000_000_000_000_000..<400_000_000_000_000_000)

        func text(_ hole: Hole) -> String {
            switch hole {
            case .pkgid: pkgid.hex
            case .size: String(size)
            case .headerStart: String(headerStart)
            case .headerEnd: String(headerEnd)
            case .href: href
            }
        }

        private static func digits(_ count: Int, radix: Int) -> String {
            let text = String(UInt64.random(in: .min ... .max), radix: radix)
            return String(repeating: "0", count: count - text.count) + text
        }
    }

    private static let marks = Marks()

    /// Creates the fragments of `package`, whose header has `headerSize` bytes.
    init(_ package: CreaterepoPackage, headerSize: Int, named name: String) throws(RepodataError) {
        let marks = Self.marks
        package.set(
            pkgid: marks.pkgid.hex, algorithm: .sha256, size: marks.size, headerRange: marks.headerStart..<marks.headerEnd)
        var head: [UInt8] = []
        var texts: [UInt8] = []
        Self.append(headerSize, to: &head)
        try package.dump(href: marks.href) { (document, chunk) throws(RepodataError) in
            let wanted: [Hole] = document == .primary ? Hole.allCases : [.pkgid]
            var found: [(range: Range<Int>, hole: Hole)] = []
            for hole in wanted {
                guard let range = chunk.find(marks.text(hole)) else {
                    throw RepodataError(.malformed, "\(name): libcreaterepo_c wrote no \(hole) for \(document.rawValue)")
                }
                found.append((range, hole))
            }
            found.sort { $0.range.lowerBound < $1.range.lowerBound }
            Self.append(chunk.count - found.reduce(0) { $0 + $1.range.count }, to: &head)
            Self.append(found.count, to: &head)
            let textStart = texts.count
            var position = 0
            for (range, hole) in found {
                texts += chunk[position..<range.lowerBound]
                position = range.upperBound
                Self.append(texts.count - textStart, to: &head)
                Self.append(Int(hole.rawValue), to: &head)
            }
            texts += chunk[position...]
        }
        guard let fragments = PackageFragments(serialized: head + texts) else {
            throw RepodataError(.malformed, "\(name): libcreaterepo_c wrote metadata that cannot be used")
        }
        self = fragments
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(clamping: number).littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Returns the range of the first occurrence of `text`, or `nil` if it does not occur.
    func find(_ text: String) -> Range<Int>? {
        guard let baseAddress else { return nil }
        let needle = Array(text.utf8)
        guard let found = memmem(baseAddress, UInt(count), needle, UInt(needle.count)) else { return nil }
        let start = UnsafeRawPointer(found) - baseAddress
        return start..<start + needle.count
    }
}
