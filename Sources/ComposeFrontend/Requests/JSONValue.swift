import ForeignText
import Foundation

/// A JSON value is the tree of a JSON text, before its meaning is known. If an object has a member
/// twice, the last one counts.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// An integer in any notation. 1, 1.0 and 1e0 are the same integer.
    case integer(Int)
    /// A number that is not an integer, or that is too large for `Int`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The longest name of a member, in bytes as it is written. All names that this service knows are far
    /// shorter. Clients may add members with their own names, and each character of a name can take 12
    /// bytes.
    private static let longestName = 600

    /// - Throws: ``RequestRejection`` that says where the text stops being JSON, or which text would take
    ///   very long to compare.
    init(parsing data: Data) throws(RequestRejection) {
        guard String(validating: data, as: UTF8.self) != nil else {
            throw .badRequest("The body is not text in UTF-8.")
        }
        switch Self.oddity(in: data) {
        case .danglingComma(let offset):
            throw .badRequest("The body is not JSON: No value after the comma around character \(offset).")
        case .longName(let offset):
            throw .badRequest(
                "The body has a member around character \(offset) whose name is longer than \(Self.longestName) bytes; no member has such a name."
            )
        case nil: break
        }
        do {
            self = try Self(JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed))
        } catch {
            let details = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
            // The implementation language of the service means nothing to the client.
            let words = details?.replacing("is not representable in Swift", with: "is too large")
            throw .badRequest("The body is not JSON\(words.map { ": \($0)" } ?? ".")")
        }
        guard isStreamSafe else {
            throw .badRequest("The body has a text with more than 30 combining marks in a row, as no language has them.")
        }
    }

    /// Whether all texts can be compared quickly. The names of members need no check, because they are
    /// short.
    private var isStreamSafe: Bool {
        switch self {
        case .string(let string): string.isStreamSafe
        case .array(let elements): elements.allSatisfy(\.isStreamSafe)
        case .object(let members): members.values.allSatisfy(\.isStreamSafe)
        case .null, .bool, .integer, .number: true
        }
    }

    /// An oddity is JSON that Foundation accepts by mistake, or that it reads very slowly. The value of
    /// each case is the number of bytes before the oddity.
    private enum Oddity {
        /// A comma before a closing bracket. It is not valid JSON.
        case danglingComma(Int)
        /// A name that is too long. Foundation uses it as a key of a dictionary, and the time for that grows
        /// with the square of its combining marks.
        case longName(Int)
    }

    private static func oddity(in text: Data) -> Oddity? {
        var comma: Int?
        var string = 0..<0
        var isInString = false
        var isEscaped = false
        for (offset, byte) in text.enumerated() {
            switch byte {
            case _ where isInString:
                if !isEscaped, byte == UInt8(ascii: "\"") {
                    isInString = false
                    string = string.lowerBound..<offset
                }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if let comma { return .danglingComma(comma) }
            case UInt8(ascii: ","): comma = offset
            case UInt8(ascii: ":") where string.count > longestName: return .longName(string.lowerBound)
            case 0x20, 0x09, 0x0A, 0x0D: break
            default:
                comma = nil
                isInString = byte == UInt8(ascii: "\"")
                if isInString { string = offset + 1..<offset + 1 }
            }
        }
        return nil
    }

    private init(_ object: Any) {
        switch object {
        case let string as String: self = .string(string)
        case let array as [Any]: self = .array(array.map(Self.init))
        case let object as [String: Any]: self = .object(object.mapValues(Self.init))
        case let number as NSNumber: self.init(number)
        default: self = .null
        }
    }

    /// Foundation hides the kind of number that it read. Only `true` and `false` have the type code `c`.
    private init(_ number: NSNumber) {
        switch number.objCType.pointee {
        case CChar(UInt8(ascii: "c")): self = .bool(number.boolValue)
        case CChar(UInt8(ascii: "d")), CChar(UInt8(ascii: "f")):
            self = Int(exactly: number.doubleValue).map(Self.integer) ?? .number(number.doubleValue)
        default:
            self = Int(exactly: number).map(Self.integer) ?? .number(number.doubleValue)
        }
    }

    /// The value's description in a message that says what is expected instead. Examples: `a list`,
    /// `the number 5`.
    var shortDescription: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .number(let value): "the number \(value)"
        case .string(let value): "the string \(value.quoted)"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
