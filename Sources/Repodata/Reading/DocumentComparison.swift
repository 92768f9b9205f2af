import Compression
import Glibc

/// A comparison of a metadata document with an older revision of it, the base. It finds the
/// elements that are new.
///
/// An element counts as unchanged only if all its bytes are those of an element of the base.
/// Anything unusual ends the comparison without a result. The document is then kept as a whole.
struct DocumentComparison {
    /// The base, with the ranges of its elements in the order of the document.
    struct Base {
        let bytes: UnsafeRawBufferPointer
        /// The elements in the order of the document, with their keys.
        let elements: [(range: Range<Int>, key: PackageKey)]
        /// The position of each key in ``elements``.
        private let table: IndexTable
        private let positions: [Int32]

        /// - Returns: `nil` if the base has no elements, or anything but a line feed between them.
        init?(_ bytes: UnsafeRawBufferPointer, _ document: MetadataDocument, in table: IndexTable) {
            var found: [(range: Range<Int>, key: PackageKey, number: Int)] = []
            found.reserveCapacity(table.count)
            for number in 0..<table.count {
                let (key, range) = table.element(at: number, of: document)
                if !range.isEmpty { found.append((range, key, number)) }
            }
            found.sort { $0.range.lowerBound < $1.range.lowerBound }
            guard !found.isEmpty, found.count < Int(Int32.max), found.last!.range.upperBound < bytes.count else { return nil }
            var next = found[0].range.lowerBound
            for (range, _, _) in found {
                guard range.lowerBound == next, bytes[range.upperBound] == UInt8(ascii: "\n") else { return nil }
                next = range.upperBound + 1
            }
            var positions = [Int32](repeating: -1, count: table.count)
            for (position, element) in found.enumerated() { positions[element.number] = Int32(position) }
            self.bytes = bytes
            self.table = table
            self.positions = positions
            elements = found.map { ($0.range, $0.key) }
        }

        func position(of key: PackageKey) -> Int? {
            guard let number = table.number(of: key), positions[number] >= 0 else { return nil }
            return Int(positions[number])
        }

        var beginning: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<elements[0].range.lowerBound]) }
        var end: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[(elements.last!.range.upperBound + 1)...]) }
    }

    private let base: Base
    private let document: MetadataDocument
    private let bytes: UnsafeRawBufferPointer
    /// The maximum number of new elements, and of elements that are gone.
    private let most: Int

    private var draft = DocumentChanges.Draft()
    private var isUsed: [Bool]
    private var position = 0
    /// The position of the element of the base that is expected next.
    private var expected = 0

    /// Compares `bytes` with `base`.
    ///
    /// - Parameter most: The maximum number of new elements, and of elements that are gone.
    /// - Returns: `nil` if there are more changes, or if the document has anything but elements of packages
    ///   between the beginning and the end of the base.
    static func changes(
        of bytes: UnsafeRawBufferPointer, _ document: MetadataDocument, since base: Base, most: Int
    ) -> DocumentChanges.Draft? {
        var comparison = DocumentComparison(base: base, document: document, bytes: bytes, most: most)
        return comparison.compare() ? comparison.draft : nil
    }

    private init(base: Base, document: MetadataDocument, bytes: UnsafeRawBufferPointer, most: Int) {
        self.base = base
        self.document = document
        self.bytes = bytes
        self.most = most
        isUsed = Array(repeating: false, count: base.elements.count)
    }

    private mutating func compare() -> Bool {
        guard takeBeginning() else { return false }
        while !isAtEnd {
            guard takeExpected() || takeOther() else { return false }
        }
        return finish()
    }

    /// Whether the rest of the document is the end of the base.
    private var isAtEnd: Bool { bytes.count - position == base.end.count && hasBytes(of: base.end, at: position) }

    /// Takes the beginning. It must be that of the base, except for the number of packages.
    private mutating func takeBeginning() -> Bool {
        let old = base.beginning
        let marker = "packages=\""
        guard let number = old.lastRange(of: marker)?.upperBound else { return take(beginning: old.count, if: hasBytes(of: old, at: 0)) }
        let rest = UnsafeRawBufferPointer(rebasing: old[(number + old[number...].prefix(while: Self.isDigit).count)...])
        guard hasBytes(of: UnsafeRawBufferPointer(rebasing: old[..<number]), at: 0) else { return false }
        let digits = bytes[number...].prefix(while: Self.isDigit).count
        return take(beginning: number + digits + rest.count, if: (1...10).contains(digits) && hasBytes(of: rest, at: number + digits))
    }

    private mutating func take(beginning length: Int, if isEqual: Bool) -> Bool {
        guard isEqual else { return false }
        draft.document += bytes[..<length]
        draft.beginning = length
        position = length
        return true
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func hasBytes(of other: UnsafeRawBufferPointer, at position: Int) -> Bool {
        other.count <= bytes.count - position
            && (other.isEmpty || memcmp(bytes.baseAddress! + position, other.baseAddress!, other.count) == 0)
    }

    /// Takes the expected element of the base, if it comes next.
    private mutating func takeExpected() -> Bool {
        expected < base.elements.count && takeKnown(expected)
    }

    private mutating func takeKnown(_ number: Int) -> Bool {
        let range = base.elements[number].range
        let line = range.lowerBound..<range.upperBound + 1
        guard hasBytes(of: UnsafeRawBufferPointer(rebasing: base.bytes[line]), at: position), !isUsed[number] else { return false }
        isUsed[number] = true
        if let last = draft.runs.last, !last.isNew, last.first + last.count == number {
            draft.runs[draft.runs.count - 1].count += 1
            draft.runs[draft.runs.count - 1].bytes = last.bytes.lowerBound..<line.upperBound
        } else {
            draft.runs.append(DocumentChanges.Run(isNew: false, first: number, count: 1, bytes: line))
        }
        position += line.count
        expected = number + 1
        return true
    }

    /// Takes an element that is new, or that the base has at another place.
    private mutating func takeOther() -> Bool {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        guard rest.starts(with: "<package".utf8), let close = rest.find("</package>") else { return false }
        let element = UnsafeRawBufferPointer(rebasing: rest[..<close.upperBound])
        // Only plain elements are understood here.
        guard close.upperBound < rest.count, rest[close.upperBound] == UInt8(ascii: "\n"), element.find("<!") == nil,
            element.find("<?") == nil, !element.contains(0), let key = key(of: element)
        else { return false }
        if let number = base.position(of: key), takeKnown(number) { return true }
        guard draft.new.count < most else { return false }
        let start = draft.document.count
        draft.document += rest[..<(close.upperBound + 1)]
        draft.new.append((key, start..<start + element.count))
        if let last = draft.runs.last, last.isNew {
            draft.runs[draft.runs.count - 1].count += 1
            draft.runs[draft.runs.count - 1].bytes = last.bytes.lowerBound..<draft.document.count
        } else {
            draft.runs.append(DocumentChanges.Run(isNew: true, first: draft.new.count - 1, count: 1, bytes: start..<draft.document.count))
        }
        position += element.count + 1
        return true
    }

    /// Returns the key of an element, or `nil` if it is not exactly one usable element.
    private func key(of element: UnsafeRawBufferPointer) -> PackageKey? {
        var keys: [PackageKey] = []
        var isWhole = true
        do {
            try PackageScanner(element, document, isFragment: true).scan { key, range in
                keys.append(key)
                isWhole = isWhole && range == 0..<element.count
            }
        } catch {
            return nil
        }
        return keys.count == 1 && isWhole ? keys[0] : nil
    }

    private mutating func finish() -> Bool {
        draft.baseSize = base.bytes.count
        draft.end = bytes.count - position
        draft.document += bytes[position...]
        for (number, element) in base.elements.enumerated() where !isUsed[number] { draft.gone.append(element.key) }
        // If a pkgid occurs twice, the index of the whole document decides which element counts.
        let isUnique =
            Set(draft.new.map(\.key)).count == draft.new.count
            && draft.new.allSatisfy { element in base.position(of: element.key).map { !isUsed[$0] } ?? true }
        return isUnique && draft.gone.count <= most
    }
}

extension UnsafeRawBufferPointer {
    /// Returns the last place of `text`.
    fileprivate func lastRange(of text: String) -> Range<Int>? {
        let wanted = Array(text.utf8)
        return stride(from: count - wanted.count, through: 0, by: -1).first { self[$0...].starts(with: wanted) }.map {
            $0..<$0 + wanted.count
        }
    }
}
