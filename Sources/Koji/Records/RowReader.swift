import Glibc

/// A struct of an answer that is decoded member by member.
///
/// Members that the type does not need are skipped. A member that the hub leaves out keeps the value
/// from ``init()``.
protocol AnswerRow: Sendable {
    /// The members that the type needs, with Koji's names, in the order in which Koji writes them.
    associatedtype Member: RawRepresentable<String>, CaseIterable, Sendable

    /// The name of a row in error messages. Example: "build".
    static var noun: String { get }

    init()
    mutating func take(_ member: Member, _ value: RowScalar) throws(RowScalar.Mismatch)
    /// A required member that the row lacks, or `nil` when the row is complete.
    var missing: Member? { get }
}

/// A decoder that assembles rows, one after the other, from the values of an answer. Arrays and structs
/// inside a row are skipped.
struct RowReader<Row: AnswerRow> {
    private let members: [Row.Member]
    /// The names of the members as one text, and the position where each name ends.
    private let names: [UInt8]
    private let ends: [Int]
    private var row = Row()
    /// The member whose value comes next.
    private var current: Row.Member?
    /// The index in `members` at which the search for the next name begins. The hub writes the members of
    /// each row in the same order.
    private var next = 0
    /// The number of open arrays and structs, including the row itself.
    private var depth = 0
    private let texts = RepeatedTexts()

    init() {
        members = Array(Row.Member.allCases)
        names = members.flatMap { Array($0.rawValue.utf8) }
        var end = 0
        ends = members.map { member in
            end += member.rawValue.utf8.count
            return end
        }
    }

    /// Whether a row has begun and not ended.
    var isInRow: Bool { depth > 0 }

    mutating func begin() {
        depth += 1
        if depth == 1 {
            row = Row()
            next = 0
        }
    }

    /// Ends an array or struct. Returns the row, if it is complete with that. Throws `.unexpected` when a
    /// required member is missing.
    mutating func end() throws(AnswerProblem) -> Row? {
        depth -= 1
        guard depth == 0 else { return nil }
        if let missing = row.missing { throw .unexpected("it has a \(Row.noun) without \(missing.rawValue)") }
        return row
    }

    mutating func member(_ name: UnsafeBufferPointer<UInt8>) {
        guard depth == 1 else { return }
        current = nil
        for offset in 0..<members.count {
            let index = next + offset < members.count ? next + offset : next + offset - members.count
            let start = index == 0 ? 0 : ends[index - 1]
            guard ends[index] - start == name.count else { continue }
            let isSame = names.withUnsafeBufferPointer { memcmp($0.baseAddress! + start, name.baseAddress!, name.count) == 0 }
            if isSame {
                current = members[index]
                next = index + 1 == members.count ? 0 : index + 1
                return
            }
        }
    }

    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
        guard depth == 1, let current, scalar.kind != .null else { return }
        do throws(RowScalar.Mismatch) {
            try row.take(current, RowScalar(scalar: scalar, texts: texts.slots))
        } catch {
            let found = error.kind == scalar.kind ? "\"\(scalar.excerpt)\"" : scalar.kind.words
            throw .unexpected("the member \(current.rawValue) of a \(Row.noun) is \(found) instead of \(error.kind.words)")
        }
    }
}

/// The scalar value of a row's member. It is never nil.
struct RowScalar {
    /// The error for a value that is not of this kind.
    struct Mismatch: Error {
        let kind: XMLRPCScalar.Kind
    }

    fileprivate let scalar: XMLRPCScalar
    fileprivate let texts: UnsafeMutablePointer<String>

    var int: Int {
        get throws(Mismatch) {
            guard scalar.kind == .int, let value = scalar.integer else { throw Mismatch(kind: .int) }
            return value
        }
    }

    var bool: Bool {
        get throws(Mismatch) {
            guard scalar.kind == .bool, let value = scalar.boolean else { throw Mismatch(kind: .bool) }
            return value
        }
    }

    var double: Double {
        get throws(Mismatch) {
            guard scalar.kind == .double || scalar.kind == .int, let value = scalar.number else { throw Mismatch(kind: .double) }
            return value
        }
    }

    var string: String {
        get throws(Mismatch) { RepeatedTexts.text(try utf8, texts) }
    }

    /// The text of a string in UTF-8. The pointer is valid only during the call.
    var utf8: UnsafeBufferPointer<UInt8> {
        get throws(Mismatch) {
            guard scalar.kind == .string else { throw Mismatch(kind: .string) }
            return scalar.text
        }
    }
}

/// A cache of recent texts. Rows repeat each other, and a known text needs no new memory.
final class RepeatedTexts {
    private static let count = 4096
    /// The most bytes of a String that is stored in place, without memory of its own.
    private static let inPlace = 15

    fileprivate let slots: UnsafeMutablePointer<String>

    init() {
        slots = .allocate(capacity: Self.count)
        slots.initialize(repeating: "", count: Self.count)
    }

    deinit {
        slots.deinitialize(count: Self.count)
        slots.deallocate()
    }

    fileprivate static func text(_ bytes: UnsafeBufferPointer<UInt8>, _ slots: UnsafeMutablePointer<String>) -> String {
        guard bytes.count > inPlace, bytes.count <= 256 else { return String(decoding: bytes, as: UTF8.self) }
        // FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let slot = slots + Int((hash ^ hash >> 32) % UInt64(count))
        let isSame = slot.pointee.utf8.count == bytes.count && slot.pointee.utf8.elementsEqual(bytes)
        if !isSame { slot.pointee = String(decoding: bytes, as: UTF8.self) }
        return slot.pointee
    }
}
