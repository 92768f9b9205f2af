import Foundation
import ImageModel
import NIOHTTP1

extension Call {
    private static let nodes = "/api/1/nodes"
    private static let farms = "/api/1/farms"

    static let nodeList = Call(method: .GET, path: nodes)
    static func node(_ name: String) -> Call { Call(method: .GET, path: "\(nodes)/\(escaped(name))") }
    static func addNode(_ submission: NodeSubmission) throws -> Call {
        Call(method: .POST, path: nodes, body: try JSONEncoder().encode(submission))
    }
    static func changeNode(_ name: String, _ submission: NodeSubmission) throws -> Call {
        Call(method: .PATCH, path: "\(nodes)/\(escaped(name))", body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func removeNode(_ name: String) -> Call { Call(method: .DELETE, path: "\(nodes)/\(escaped(name))") }
    static func probeNode(_ name: String) -> Call { Call(method: .POST, path: "\(nodes)/\(escaped(name))/probe", isIdempotent: true) }
    static func pruneNode(_ name: String, _ request: PruneRequest) throws -> Call {
        Call(method: .POST, path: "\(nodes)/\(escaped(name))/prune", body: try JSONEncoder().encode(request), isIdempotent: true)
    }

    static let farmList = Call(method: .GET, path: farms)
    static func farm(_ name: String) -> Call { Call(method: .GET, path: "\(farms)/\(escaped(name))") }
    static func createFarm(_ submission: FarmSubmission) throws -> Call {
        Call(method: .POST, path: farms, body: try JSONEncoder().encode(submission))
    }
    static func changeFarm(_ name: String, _ submission: FarmSubmission) throws -> Call {
        Call(method: .PATCH, path: "\(farms)/\(escaped(name))", body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func removeFarm(_ name: String) -> Call { Call(method: .DELETE, path: "\(farms)/\(escaped(name))") }
    static func schedule(_ platforms: [String]?, _ placement: Placement?) -> Call {
        let items = [
            ("platforms", platforms?.joined(separator: ",")), ("farm", placement?.farm),
            ("nodes", placement?.nodes?.joined(separator: ",")),
        ]
        return Call(
            method: .GET, path: "/api/1/schedule", query: items.compactMap { name, value in value.map { (name: name, value: $0) } })
    }

    /// Returns a name as a part of a path.
    private static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
    }
}
