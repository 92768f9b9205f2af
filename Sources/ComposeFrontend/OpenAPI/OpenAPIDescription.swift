import ComposeModel
import Foundation

/// The answer to `GET /api/1/`: every route of this server in OpenAPI 3.1.
///
/// The source is OpenAPI/openapi.json, in which `{name}` is a placeholder for a value that depends on
/// the configuration. `"{name}"` with its quotes is replaced by a value of any type. Inside a longer
/// text, the placeholder has no quotes of its own.
struct OpenAPIDescription {
    let json: String

    init(_ configuration: FrontendConfiguration, server: String) throws {
        let limits = configuration.limits
        let capabilities = configuration.admission.capabilities
        let types = capabilities.sourceTypes
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
        let values = [
            "version": try text(configuration.version),
            "server": try text(server),
            "source_types": try text(types.map(\.name)),
            "sources": try text(types.map { ["$ref": "#/components/schemas/\(Self.schema(of: $0))"] }),
            "flags": try text(ComposeFlags.names.filter { limits.allowedFlags.isSuperset(of: $0.option) }.map(\.name)),
            "results": try text(ComposeResults.names.filter { limits.allowedResults.isSuperset(of: $0.option) }.map(\.name)),
            "target_dirs": try text(configuration.targets.keys.sorted() + [""]),
            "arch": limits.allowedArches.isEmpty ? Self.anyArch : try text(["enum": limits.allowedArches]),
            "default_seconds_to_live": "\(limits.defaultSecondsToLive)",
            "maximum_seconds_to_live": "\(limits.maximumSecondsToLive)",
            "deliveries": try text(Delivery.allCases.filter { $0 == .link || capabilities.allowsReference }.map(\.rawValue)),
            "unsigned_wait_seconds": "\(limits.unsignedWaitSeconds)",
            "maximum_packages": "\(limits.maximumPackages)",
            "maximum_list_length": "\(limits.maximumListLength)",
            "maximum_word_length": "\(limits.maximumWordLength)",
            "default_per_page": "\(configuration.perPage.default)",
            "maximum_per_page": "\(configuration.perPage.maximum)",
        ]
        json = values.reduce(String(decoding: PackageResources.openapi_json, as: UTF8.self)) { json, value in
            json.replacing("\"{\(value.key)}\"", with: value.value).replacing("{\(value.key)}", with: value.value)
        }
    }

    private static let anyArch = """
        {"allOf": [{"$ref": "#/components/schemas/Word"}, {"not": {"enum": ["noarch", "src", "nosrc"]}}]}
        """

    /// Returns the name of the schema of a source type. Example: `RawConfigSource` for `raw_config`.
    private static func schema(of type: SourceType) -> String {
        type.name.split(separator: "_").map(\.capitalized).joined() + "Source"
    }

    /// An operation is one method of one route.
    struct Operation {
        let path: String
        let method: String
        let summary: String
    }

    /// All operations, in the order of their paths.
    var operations: [Operation] {
        get throws {
            guard case .object(let root) = try JSONValue(parsing: Data(json.utf8)), case .object(let paths)? = root["paths"] else {
                return []
            }
            return paths.sorted { $0.key < $1.key }.flatMap { path, item -> [Operation] in
                guard case .object(let methods) = item else { return [] }
                return methods.sorted { $0.key < $1.key }.compactMap { method, operation in
                    guard case .object(let members) = operation, case .string(let summary)? = members["summary"] else { return nil }
                    return Operation(path: path, method: method.uppercased(), summary: summary)
                }
            }
        }
    }
}
