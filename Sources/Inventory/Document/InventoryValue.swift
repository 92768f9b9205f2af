/// An *inventory value* is a part of an inventory that is passed on as it is: a compose request.
public indirect enum InventoryValue: Hashable, Sendable, Encodable {
    case null
    case bool(Bool)
    case number(Int)
    case text(String)
    case list([InventoryValue])
    case mapping([String: InventoryValue])

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .mapping(let value): try container.encode(value)
        }
    }
}
