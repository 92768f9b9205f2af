public import Compression
import Glibc
public import SystemPackage

/// The changes of a metadata document since an older revision of it, which is called the base.
///
/// A changed document consists of a beginning, elements and an end. An element is either unchanged,
/// and then a part of the base, or it is new. The changes list both kinds in the order of the
/// document, and have the bytes of the new ones. So base and changes together give exactly the
/// bytes of the document.
///
/// Example: in a document of 1,000 packages, the package at position 400 was replaced. The changes
/// are the runs "400 elements of the base from 0", "1 new element" and "599 elements of the base
/// from 401".
///
/// All numbers of the file are little endian. It consists of these parts:
///
/// - Signature (8 bytes), and CRC-32 of all bytes after it (4).
/// - The size of the base, and the numbers of runs, of new elements and of gone elements (8 each).
/// - The lengths of the beginning and of the end (8 each).
/// - The checksum that names the revision of the base (32).
/// - Runs, each with offset (8), length (8), first (4), count (4).
/// - New elements, sorted by their keys, each with the key (32), offset (8), length (8).
/// - The keys of the elements of the base that are gone, sorted (32 each).
/// - A document with the beginning, the new elements and the end.
public struct DocumentChanges: Sendable {
    /// Consecutive elements of the document that come from one place.
    public struct Run: Hashable, Sendable {
        /// Whether the elements are new. Otherwise they are elements of the base.
        public let isNew: Bool
        /// The position of the first element, among the elements of the base or among the new ones.
        public let first: Int
        /// The number of elements, at least 1.
        public internal(set) var count: Int
        /// The bytes of the elements and of the line feed after each of them. For elements of the base it
        /// is a range of the base, and for new ones a range of ``newDocument``.
        public internal(set) var bytes: Range<Int>
    }

    private static let signature = Array("odcs-ch2".utf8)
    private static let numbers = 6
    private static let baseOffset = 8 + 4 + 8 * numbers
    private static let headerSize = baseOffset + PackageKey.size
    private static let runSize = 24
    private static let elementSize = PackageKey.size + 16
    private static let newBit: UInt32 = 1 << 31

    /// The size of the base in bytes.
    public let baseSize: Int
    public let runs: [Run]
    /// The number of new elements.
    public let newCount: Int
    /// The number of elements of the base that the document does not have.
    public let goneCount: Int
    private let beginning: Int
    private let end: Int
    private let file: MappedFile
    private let newOffset: Int
    private let goneOffset: Int
    private let documentOffset: Int

    /// Opens a file of changes. Returns `nil` if it does not exist, is damaged or is not such a file.
    ///
    /// - Parameter base: The ``RepositoryMetadata/id`` of the base. Changes since another base count as
    ///   absent.
    public init?(opening path: FilePath, over base: Checksum) {
        // A file with any defect counts as absent. The metadata is then read again.
        guard let file = try? MappedFile(path), file.bytes.count >= Self.headerSize, file.bytes.starts(with: Self.signature) else {
            return nil
        }
        let bytes = file.bytes
        if !IntactFiles.contains(file.identity) {
            guard CRC32.of(UnsafeRawBufferPointer(rebasing: bytes[12...])) == Self.number(bytes, at: 8, UInt32.self) else { return nil }
            IntactFiles.insert(file.identity)
        }
        guard PackageKey(bytes, at: Self.baseOffset) == PackageKey(base) else { return nil }
        let numbers = (0..<Self.numbers).compactMap { Int(exactly: Self.number(bytes, at: 12 + 8 * $0, UInt64.self)) }
        guard numbers.count == Self.numbers, numbers.allSatisfy({ $0 < 1 << 40 }) else { return nil }
        baseSize = numbers[0]
        newCount = numbers[2]
        goneCount = numbers[3]
        beginning = numbers[4]
        end = numbers[5]
        newOffset = Self.headerSize + Self.runSize * numbers[1]
        goneOffset = newOffset + Self.elementSize * newCount
        documentOffset = goneOffset + PackageKey.size * goneCount
        guard documentOffset + beginning + end <= bytes.count else { return nil }
        self.file = file
        var runs: [Run] = []
        runs.reserveCapacity(numbers[1])
        for index in 0..<numbers[1] {
            let offset = Self.headerSize + Self.runSize * index
            let start = Self.number(bytes, at: offset, UInt64.self)
            let length = Self.number(bytes, at: offset + 8, UInt64.self)
            let count = Self.number(bytes, at: offset + 20, UInt32.self)
            let isNew = count & Self.newBit != 0
            let space = UInt64(isNew ? bytes.count - documentOffset : baseSize)
            guard start <= space, length <= space - start else { return nil }
            runs.append(
                Run(
                    isNew: isNew, first: Int(Self.number(bytes, at: offset + 16, UInt32.self)), count: Int(count & ~Self.newBit),
                    bytes: Int(start)..<Int(start + length)))
        }
        self.runs = runs
    }

    /// Returns whether the file at `path` is still the one that was opened.
    func isStill(at path: FilePath) -> Bool { file.isStill(at: path) }

    /// A document that has the beginning and the end of the changed document, and only its new
    /// elements. The bytes exist as long as this value.
    public var newDocument: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[documentOffset...]) }

    /// Calls `body` with the pieces of the changed document, in order. The first piece is its
    /// beginning, the last one its end. All other pieces consist of whole elements.
    ///
    /// - Parameter base: The base, which must have ``baseSize`` bytes.
    public func forEachPiece<Failure: Error>(
        over base: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(base.count == baseSize)
        defer { withExtendedLifetime(file) {} }
        let new = newDocument
        try body(beginningOfDocument)
        for run in runs { try body(UnsafeRawBufferPointer(rebasing: (run.isNew ? new : base)[run.bytes])) }
        try body(endOfDocument)
    }

    /// Returns the bytes of the changed document.
    package func document(over base: MappedFile) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(runs.reduce(newDocument.count) { $0 + ($1.isNew ? 0 : $1.bytes.count) })
        withExtendedLifetime(base) { forEachPiece(over: base.bytes) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// Returns the new element with that key, or `nil` if the key has none.
    func newElement(of key: PackageKey) -> UnsafeRawBufferPointer? {
        guard let place = find(key, count: newCount, at: newOffset, stride: Self.elementSize), let range = range(at: place) else {
            return nil
        }
        return UnsafeRawBufferPointer(rebasing: newDocument[range])
    }

    /// The keys of the new elements and their ranges in ``newDocument``, in the order of the document. An
    /// element that is not in it as a whole is left out.
    var newElements: [(key: PackageKey, range: Range<Int>)] {
        var elements: [(key: PackageKey, range: Range<Int>)] = []
        elements.reserveCapacity(newCount)
        for number in 0..<newCount {
            let place = newOffset + number * Self.elementSize
            if let range = range(at: place) { elements.append((PackageKey(file.bytes, at: place), range)) }
        }
        return elements.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// The bytes before the first element of the document.
    var beginningOfDocument: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: newDocument[..<beginning]) }

    /// The bytes after the last element of the document.
    var endOfDocument: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: newDocument[(newDocument.count - end)...]) }

    /// Returns the range of a new element in ``newDocument``. Returns `nil` if it is not in it as a whole.
    ///
    /// - Parameter place: The position of the element in the table of new elements.
    private func range(at place: Int) -> Range<Int>? {
        let start = Self.number(file.bytes, at: place + PackageKey.size, UInt64.self)
        let length = Self.number(file.bytes, at: place + PackageKey.size + 8, UInt64.self)
        let space = UInt64(newDocument.count)
        guard start <= space, length <= space - start else { return nil }
        return Int(start)..<Int(start + length)
    }

    /// Whether the element of the base with that key is not in the changed document.
    func isGone(_ key: PackageKey) -> Bool {
        find(key, count: goneCount, at: goneOffset, stride: PackageKey.size) != nil
    }

    private func find(_ key: PackageKey, count: Int, at offset: Int, stride: Int) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let place = offset + middle * stride
            let found = PackageKey(file.bytes, at: place)
            if found == key { return place }
            if found < key { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, at offset: Int, _: Number.Type) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

extension DocumentChanges {
    /// The content of a file of changes before it is written.
    struct Draft {
        var baseSize = 0
        var runs: [Run] = []
        /// The new elements with their ranges in ``document``.
        var new: [(key: PackageKey, range: Range<Int>)] = []
        var gone: [PackageKey] = []
        var beginning = 0
        var end = 0
        /// The beginning, the new elements with a line feed after each of them, and the end.
        var document: [UInt8] = []
    }

    /// Writes a new file.
    ///
    /// - Parameter base: The name of the base.
    static func write(_ draft: Draft, over base: PackageKey, to path: FilePath) throws(RepodataError) {
        var bytes = signature
        bytes.reserveCapacity(
            headerSize + runSize * draft.runs.count + elementSize * draft.new.count + PackageKey.size * draft.gone.count
                + draft.document.count)
        func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        // The place of the checksum.
        append(UInt32(0))
        for number in [draft.baseSize, draft.runs.count, draft.new.count, draft.gone.count, draft.beginning, draft.end] {
            append(UInt64(number))
        }
        base.append(to: &bytes)
        for run in draft.runs {
            append(UInt64(run.bytes.lowerBound))
            append(UInt64(run.bytes.count))
            append(UInt32(run.first))
            append(UInt32(run.count) | (run.isNew ? newBit : 0))
        }
        for element in draft.new.sorted(by: { $0.key < $1.key }) {
            element.key.append(to: &bytes)
            append(UInt64(element.range.lowerBound))
            append(UInt64(element.range.count))
        }
        for key in draft.gone.sorted() { key.append(to: &bytes) }
        bytes += draft.document
        bytes.withUnsafeMutableBytes { bytes in
            let checksum = CRC32.of(UnsafeRawBufferPointer(rebasing: bytes[12...]))
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: signature.count, as: UInt32.self)
        }
        try AtomicFile.write(bytes, to: path)
    }
}
