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

    /// The longest element that is compared, in bytes.
    private static let longestElement = 8 << 20

    private let base: Base
    private let document: MetadataDocument
    /// The maximum number of new elements, and of elements that are gone.
    private let most: Int

    private var draft = DocumentChanges.Draft()
    private var isUsed: [Bool]
    private var hasBeginning = false
    /// The number of the element of the base that is expected next.
    private var expected = 0
    /// The bytes that were added and are not compared yet.
    private var pending: [UInt8] = []
    /// The bytes of ``pending`` while they are compared, and the position of the next one.
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0

    /// Begins a comparison with `base`.
    ///
    /// - Parameter most: The maximum number of new elements, and of elements that are gone.
    init(with base: Base, _ document: MetadataDocument, most: Int) {
        self.base = base
        self.document = document
        self.most = most
        isUsed = Array(repeating: false, count: base.elements.count)
    }

    /// Compares the next piece of the document.
    ///
    /// - Returns: `false` if there are too many changes, or if the document has anything but elements of
    ///   packages between the beginning and the end of the base. The comparison has no result then.
    mutating func add(_ piece: UnsafeRawBufferPointer) -> Bool {
        pending.append(contentsOf: piece)
        return compare(isLast: false)
    }

    /// Ends the comparison. Returns `nil` if it has no result.
    mutating func finish() -> DocumentChanges.Draft? {
        guard compare(isLast: true), complete() else { return nil }
        return draft
    }

    /// Compares the pending bytes as far as possible.
    ///
    /// - Parameter isLast: Whether no bytes follow them.
    private mutating func compare(isLast: Bool) -> Bool {
        let window = pending
        pending = []
        var rest = 0
        let isUsual = window.withUnsafeBytes { window in
            (bytes, position) = (window, 0)
            guard takeAll(isLast: isLast) else { return false }
            rest = position
            return true
        }
        pending = rest == 0 ? window : Array(window[rest...])
        return isUsual
    }

    private mutating func takeAll(isLast: Bool) -> Bool {
        if !hasBeginning {
            // The number of packages can have more digits than that of the base.
            guard isLast || bytes.count >= base.beginning.count + 10 else { return true }
            guard takeBeginning() else { return false }
            hasBeginning = true
        }
        while true {
            if isLast, isAtEnd { return true }
            if expected < base.elements.count {
                if base.elements[expected].range.count > Self.longestElement { return false }
                guard isLast || bytes.count - position > base.elements[expected].range.count else { return true }
                if takeKnown(expected) { continue }
            }
            switch takeOther() {
            case .taken: continue
            case .unusual: return false
            // The rest is the end of the document, or the beginning of an element.
            case .incomplete: return !isLast && bytes.count - position < max(Self.longestElement, base.end.count + 1)
            }
        }
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

    /// Takes an element of the base, if it comes next.
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

    private enum Step {
        case taken, incomplete, unusual
    }

    /// Takes an element that is new, or that the base has at another place.
    private mutating func takeOther() -> Step {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
        guard rest.count > 8, rest.starts(with: "<package".utf8) else { return rest.count > 8 && !isPossibleEnd ? .unusual : .incomplete }
        guard let close = rest.find("</package>"), close.upperBound < rest.count else { return .incomplete }
        let element = UnsafeRawBufferPointer(rebasing: rest[..<close.upperBound])
        // Only plain elements are understood here.
        guard rest[close.upperBound] == UInt8(ascii: "\n"), element.find("<!") == nil, element.find("<?") == nil, !element.contains(0),
            let key = key(of: element)
        else { return .unusual }
        if let number = base.position(of: key), takeKnown(number) { return .taken }
        guard draft.new.count < most else { return .unusual }
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
        return .taken
    }

    /// Whether the rest may be the beginning of the end of the base.
    private var isPossibleEnd: Bool {
        let rest = bytes[position...]
        return rest.count <= base.end.count && base.end.starts(with: rest)
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

    private mutating func complete() -> Bool {
        draft.baseSize = base.bytes.count
        draft.end = pending.count
        draft.document += pending
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
