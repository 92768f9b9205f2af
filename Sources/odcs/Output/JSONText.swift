import ComposeClient
import ForeignText
import Foundation

/// A JSON text in the layout of the published Python client, which scripts read with grep as well as
/// with a parser. Keys are sorted, each level is indented by four spaces, and members are written
/// `"key": value`. Invisible characters are escaped.
struct JSONText {
    private(set) var text = ""

    init(_ value: some Encodable) throws {
        let document = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        try append(document, indentation: "")
    }

    private mutating func append(_ value: JSONValue, indentation: String) throws {
        let inner = indentation + "    "
        switch value {
        case .object(let members) where !members.isEmpty:
            try append(members.sorted { $0.key < $1.key }, between: ("{", "}"), indentation: indentation) { text, member in
                try text.append(scalar: .string(member.key))
                text.text += ": "
                try text.append(member.value, indentation: inner)
            }
        case .array(let elements) where !elements.isEmpty:
            try append(elements, between: ("[", "]"), indentation: indentation) { try $0.append($1, indentation: inner) }
        default:
            try append(scalar: value)
        }
    }

    private mutating func append<Element>(
        _ elements: [Element], between brackets: (String, String), indentation: String, _ append: (inout Self, Element) throws -> Void
    ) throws {
        text += brackets.0
        for (index, element) in elements.enumerated() {
            text += "\(index == 0 ? "" : ",")\n\(indentation)    "
            try append(&self, element)
        }
        text += "\n\(indentation)\(brackets.1)"
    }

    /// Appends a value that fits on a line: a plain value, or an empty list or object.
    private mutating func append(scalar: JSONValue) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        text += String(decoding: try encoder.encode(scalar), as: UTF8.self).jsonWithVisibleCharacters
    }
}
