import Foundation
import Inventory
import Testing
import Yams

@Suite("The published schema of inventory.yaml")
struct SchemaTests {
    private static func isAccepted(_ text: String) throws -> Bool {
        let schema = try #require(JSONSerialization.jsonObject(with: Data(InventorySchema.text.utf8)) as? [String: Any])
        return try SmallSchema(root: schema).accepts(#require(try Yams.load(yaml: text)), schema)
    }

    @Test("it accepts the inventories that the reader accepts")
    func accepts() throws {
        #expect(try Self.isAccepted(InventoryTexts.whole))
        let example = FilePathOfSources.repository + "/inventory/dpdk-ci/inventory.yaml"
        #expect(try Self.isAccepted(String(contentsOfFile: example, encoding: .utf8)))
    }

    @Test("it refuses the mistakes that the reader refuses", arguments: InventoryTexts.mistakes.filter(\.isSeenBySchema))
    func refuses(mistake: InventoryTexts.Mistake) throws {
        #expect(try !Self.isAccepted(mistake.text))
    }

    @Test("it accepts the mistakes that only the reader can see", arguments: InventoryTexts.mistakes.filter { !$0.isSeenBySchema })
    func passes(mistake: InventoryTexts.Mistake) throws {
        #expect(try Self.isAccepted(mistake.text))
    }
}

enum FilePathOfSources {
    /// The root of the repository.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
}

/// A validator for the keywords of JSON Schema 2020-12 that our schema uses. An unknown keyword is an
/// error, so that no keyword of the schema is without a test.
private struct SmallSchema {
    let root: [String: Any]

    struct UnknownKeyword: Error { let keyword: String }

    func accepts(_ value: Any, _ schema: [String: Any]) throws -> Bool {
        for (keyword, argument) in schema where try !accepts(value, keyword, argument, schema) { return false }
        return true
    }

    private func accepts(_ value: Any, _ keyword: String, _ argument: Any, _ schema: [String: Any]) throws -> Bool {
        let object = value as? [String: Any]
        let array = value as? [Any]
        let text = value as? String
        switch (keyword, argument) {
        case ("$schema", _), ("title", _), ("description", _), ("$defs", _): return true
        case ("type", let type as String): return Self.type(of: value) == type
        case ("enum", let values as [String]): return text.map(values.contains) ?? false
        case ("const", let constant as String): return text == constant
        case ("pattern", let pattern as String):
            guard let text else { return true }
            return try NSRegularExpression(pattern: pattern).firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        case ("maxLength", let most as Int): return text.map { $0.unicodeScalars.count <= most } ?? true
        case ("minLength", let least as Int): return text.map { $0.unicodeScalars.count >= least } ?? true
        case ("required", let names as [String]): return object.map { object in names.allSatisfy { object[$0] != nil } } ?? true
        case ("minProperties", let least as Int): return object.map { $0.count >= least } ?? true
        case ("properties", let properties as [String: [String: Any]]):
            return try object?.allSatisfy { name, value in try properties[name].map { try accepts(value, $0) } ?? true } ?? true
        case ("propertyNames", let names as [String: Any]): return try object?.keys.allSatisfy { try accepts($0, names) } ?? true
        case ("additionalProperties", let other):
            let known = (schema["properties"] as? [String: Any] ?? [:]).keys
            return try object?.filter { !known.contains($0.key) }.allSatisfy { _, value in
                if let schema = other as? [String: Any] { return try accepts(value, schema) }
                return other as? Bool ?? true
            } ?? true
        case ("items", let items as [String: Any]): return try array?.allSatisfy { try accepts($0, items) } ?? true
        case ("contains", let items as [String: Any]): return try array?.contains { try accepts($0, items) } ?? true
        case ("minItems", let least as Int): return array.map { $0.count >= least } ?? true
        case ("uniqueItems", _): return array.map { Set($0.map { "\($0)" }).count == $0.count } ?? true
        case ("anyOf", let schemas as [[String: Any]]): return try schemas.contains { try accepts(value, $0) }
        case ("allOf", let schemas as [[String: Any]]): return try schemas.allSatisfy { try accepts(value, $0) }
        case ("oneOf", let schemas as [[String: Any]]): return try schemas.filter { try accepts(value, $0) }.count == 1
        case ("not", let schema as [String: Any]): return try !accepts(value, schema)
        case ("$ref", let reference as String):
            let name = String(reference.dropFirst("#/$defs/".count))
            let definition = try #require((root["$defs"] as? [String: [String: Any]])?[name])
            return try accepts(value, definition)
        default: throw UnknownKeyword(keyword: keyword)
        }
    }

    private static func type(of value: Any) -> String {
        switch value {
        case is [String: Any]: "object"
        case is [Any]: "array"
        case is Bool: "boolean"
        case is String: "string"
        default: "number"
        }
    }
}
