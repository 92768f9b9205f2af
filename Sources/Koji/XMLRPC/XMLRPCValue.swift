/// A value of XML-RPC with the extensions that Koji uses: nil, and integers of 64 bits.
public indirect enum XMLRPCValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case base64([UInt8])
    /// A date as its text was written, for example `20170703T12:34:56`. XML-RPC does not define the time
    /// zone.
    case dateTime(String)
    case array([XMLRPCValue])
    case structure([String: XMLRPCValue])
}

extension XMLRPCValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: XMLRPCValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, XMLRPCValue)...) {
        self = .structure(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    public init(nilLiteral: ()) { self = .null }
}

extension XMLRPCValue {
    /// The member of a structure. `nil` when the member is missing, or when this value is not a structure.
    public subscript(member: String) -> XMLRPCValue? {
        if case .structure(let members) = self { members[member] } else { nil }
    }

    public var int: Int? { if case .int(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [XMLRPCValue]? { if case .array(let value) = self { value } else { nil } }

    /// The kind of the value in words. Example: "an integer".
    var kind: String {
        switch self {
        case .null: XMLRPCScalar.Kind.null.words
        case .bool: XMLRPCScalar.Kind.bool.words
        case .int: XMLRPCScalar.Kind.int.words
        case .double: XMLRPCScalar.Kind.double.words
        case .string: XMLRPCScalar.Kind.string.words
        case .base64: XMLRPCScalar.Kind.base64.words
        case .dateTime: XMLRPCScalar.Kind.dateTime.words
        case .array: "an array"
        case .structure: "a struct"
        }
    }
}
