import Compression
import Glibc

/// A comparison of a metadata document with an older revision of it, the base. It finds the
/// elements that are new.
///
/// An element counts as unchanged only if all its bytes are those of an element of the base.
/// Anything unusual ends the comparison without a result. The document is then kept as a whole.
struct DocumentComparison {
    /// The longest element that is compared, in bytes.
    static let longestElement = 8 << 20

    private let base: ComparedBase
    private let document: MetadataDocument
    /// The maximum number of new elements, and of elements that are gone.
    private let most: Int

    private var draft = DocumentChanges.Draft()
    private var isUsed: [Bool]
    private var hasBeginning = false
    /// The number of the element of the base that is expected next.
    private var expected = 0
    /// The number of bytes of the expected element that were the last bytes so far.
    private var matched = 0
    /// The last bytes so far, if they cannot be compared yet.
    private var pending: [UInt8] = []
    /// The bytes that are compared at the moment, and the position of the next one.
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0

    /// Begins a comparison with `base`.
    ///
    /// - Parameter most: The maximum number of new elements, and of elements that are gone.
    init(with base: ComparedBase, _ document: MetadataDocument, most: Int) {
        self.base = base
        self.document = document
        self.most = most
        isUsed = Array(repeating: false, count: base.count)
    }

    /// Compares the next piece of the document.
    ///
    /// - Returns: `false` if there are too many changes, or if the document has anything but elements of
    ///   packages between the beginning and the end of the base. The comparison has no result then.
    mutating func add(_ piece: UnsafeRawBufferPointer) -> Bool {
        if pending.isEmpty { return compare(piece, isLast: false) }
        let window = pending + piece
        return window.withUnsafeBytes { compare($0, isLast: false) }
    }

    /// Ends the comparison. Returns `nil` if it has no result.
    mutating func finish() -> DocumentChanges.Draft? {
        let window = matched > 0 ? beginningOfExpected : pending
        matched = 0
        guard window.withUnsafeBytes({ compare($0, isLast: true) }), complete() else { return nil }
        return draft
    }

    private var beginningOfExpected: [UInt8] { Array(base.bytes[base.line(expected)].prefix(matched)) }

    /// Compares bytes as far as possible. The rest is ``pending`` or ``matched``.
    ///
    /// - Parameter isLast: Whether no bytes follow them.
    private mutating func compare(_ window: UnsafeRawBufferPointer, isLast: Bool) -> Bool {
        (bytes, position) = (window, 0)
        pending = []
        if matched > 0, !takeRestOfExpected() {
            let beginning = beginningOfExpected
            matched = 0
            return (beginning + window).withUnsafeBytes { compare($0, isLast: isLast) }
        }
        guard takeAll(isLast: isLast) else { return false }
        pending = Array(bytes[position...])
        return true
    }

    private mutating func takeAll(isLast: Bool) -> Bool {
        if !hasBeginning {
            // The number of packages can have more digits than that of the base.
            guard isLast || bytes.count >= base.beginning.count + 10 else { return true }
            guard takeBeginning() else { return false }
            hasBeginning = true
        }
        while true {
            takeExpected()
            if isLast, isAtEnd { return true }
            if !isLast, takeBeginningOfExpected() { return true }
            // Behind an element that was replaced, the next one is usually the same.
            if expected + 1 < base.count, takeKnown(expected + 1) { continue }
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

    /// Takes the expected element of the base and those behind it, as far as they come next.
    private mutating func takeExpected() {
        let start = base.starts[expected]
        let equal = equalBytes(from: start)
        var next = expected
        while next < base.count, base.starts[next + 1] - start <= equal, !isUsed[next] { next += 1 }
        take(expected..<next)
    }

    /// Takes the rest of the bytes, if they are the beginning of the expected element.
    private mutating func takeBeginningOfExpected() -> Bool {
        let rest = bytes.count - position
        guard rest > 0 else { return true }
        guard expected < base.count, !isUsed[expected], equalBytes(from: base.starts[expected]) == rest else { return false }
        matched = rest
        position = bytes.count
        return true
    }

    /// Takes the rest of the expected element, or as much of it as there is. Returns `false` if the bytes
    /// are others.
    private mutating func takeRestOfExpected() -> Bool {
        let rest = base.line(expected).dropFirst(matched)
        let count = min(rest.count, bytes.count)
        guard hasBytes(of: UnsafeRawBufferPointer(rebasing: base.bytes[rest.prefix(count)]), at: 0) else { return false }
        if count < rest.count {
            matched += count
        } else {
            matched = 0
            take(expected..<expected + 1)
        }
        position = count
        return true
    }

    /// Returns the number of bytes that are those of the base from a position on.
    private func equalBytes(from start: Int) -> Int {
        let rest = bytes.count - position
        let most = min(rest, base.starts[base.count] - start)
        guard most > 0, let own = bytes.baseAddress, let other = base.bytes.baseAddress else { return 0 }
        return Self.commonPrefix(own + position, other + start, most)
    }

    private static func commonPrefix(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Int {
        let step = 4096
        var equal = 0
        while count - equal >= step, memcmp(a + equal, b + equal, step) == 0 { equal += step }
        while count - equal >= 8, (a + equal).loadUnaligned(as: UInt64.self) == (b + equal).loadUnaligned(as: UInt64.self) { equal += 8 }
        while equal < count, (a + equal).load(as: UInt8.self) == (b + equal).load(as: UInt8.self) { equal += 1 }
        return equal
    }

    /// Takes consecutive elements of the base, which must come next.
    private mutating func take(_ numbers: Range<Int>) {
        if numbers.isEmpty { return }
        for number in numbers { isUsed[number] = true }
        let lines = base.starts[numbers.lowerBound]..<base.starts[numbers.upperBound]
        if let last = draft.runs.last, !last.isNew, last.first + last.count == numbers.lowerBound {
            draft.runs[draft.runs.count - 1].count += numbers.count
            draft.runs[draft.runs.count - 1].bytes = last.bytes.lowerBound..<lines.upperBound
        } else {
            draft.runs.append(DocumentChanges.Run(isNew: false, first: numbers.lowerBound, count: numbers.count, bytes: lines))
        }
        position += lines.count
        expected = numbers.upperBound
    }

    /// Takes an element of the base, if it comes next.
    private mutating func takeKnown(_ number: Int) -> Bool {
        let line = base.line(number)
        guard hasBytes(of: UnsafeRawBufferPointer(rebasing: base.bytes[line]), at: position), !isUsed[number] else { return false }
        take(number..<number + 1)
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
        guard rest[close.upperBound] == UInt8(ascii: "\n"), element.find("<!") == nil, element.find("<?") == nil,
            memchr(element.baseAddress!, 0, element.count) == nil,
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
        for number in 0..<base.count where !isUsed[number] { draft.gone.append(base.key(of: number)) }
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
