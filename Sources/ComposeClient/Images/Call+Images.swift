import Foundation
import ImageModel
import NIOHTTP1

extension Call {
    private static let images = "/api/1/images"
    private static let builds = "/api/1/builds"

    static func image(_ id: Int) -> Call { Call(method: .GET, path: "\(images)/\(id)") }
    static func images(_ query: ImageListQuery) -> Call { Call(method: .GET, path: images, query: query.items) }
    static func affected(_ query: AffectedQuery) -> Call { Call(method: .GET, path: images, query: query.items) }
    /// An image that is added again gets the same definition, so the call can be repeated.
    static func addImage(_ submission: ImageSubmission) throws -> Call {
        Call(method: .POST, path: images, body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func removeImage(_ id: Int) -> Call { Call(method: .DELETE, path: "\(images)/\(id)") }
    static func contents(_ image: Int, _ query: ContentsQuery) -> Call {
        Call(method: .GET, path: "\(images)/\(image)/contents", query: query.items)
    }
    static func difference(_ image: Int, _ query: DifferenceQuery) -> Call {
        Call(method: .GET, path: "\(images)/\(image)/diff", query: query.items)
    }

    static func why(_ image: Int, _ query: WhyQuery) -> Call {
        Call(method: .GET, path: "\(images)/\(image)/why", query: query.items)
    }

    static func build(_ id: Int) -> Call { Call(method: .GET, path: "\(builds)/\(id)") }

    /// - Parameter seconds: The time that the service may wait for the end of the build. Services that do not
    ///   know this answer at once.
    static func build(_ id: Int, waiting seconds: Int) -> Call {
        Call(method: .GET, path: "\(builds)/\(id)", query: [("wait", String(seconds))])
    }
    static func builds(_ query: BuildListQuery) -> Call { Call(method: .GET, path: builds, query: query.items) }
    static func startBuild(_ image: Int, _ submission: BuildSubmission, idempotencyKey: String) throws -> Call {
        Call(
            method: .POST, path: "\(images)/\(image)/builds", body: try JSONEncoder().encode(submission), idempotencyKey: idempotencyKey)
    }
    static func cancelBuild(_ id: Int) -> Call { Call(method: .DELETE, path: "\(builds)/\(id)") }

    private static let rebuilds = "/api/1/rebuilds"

    static func rebuild(_ id: Int) -> Call { Call(method: .GET, path: "\(rebuilds)/\(id)") }
    static func rebuilds(page: Int?, perPage: Int?) -> Call {
        let items = [("page", page), ("per_page", perPage)].compactMap { name, value in value.map { (name: name, value: String($0)) } }
        return Call(method: .GET, path: rebuilds, query: items)
    }
    static func startRebuild(_ submission: RebuildSubmission, idempotencyKey: String) throws -> Call {
        Call(method: .POST, path: rebuilds, body: try JSONEncoder().encode(submission), idempotencyKey: idempotencyKey)
    }
    static func cancelRebuild(_ id: Int) -> Call { Call(method: .DELETE, path: "\(rebuilds)/\(id)") }

    private static let rules = "/api/1/rules"

    static func rule(_ id: Int) -> Call { Call(method: .GET, path: "\(rules)/\(id)") }
    static func rules(_ query: WatchQuery) -> Call { Call(method: .GET, path: rules, query: query.items) }
    static func addRule(_ submission: RuleSubmission) throws -> Call {
        Call(method: .POST, path: rules, body: try JSONEncoder().encode(submission), isIdempotent: true)
    }
    static func removeRule(_ id: Int) -> Call { Call(method: .DELETE, path: "\(rules)/\(id)", isIdempotent: true) }

    /// A context with the same bytes is the same context, so the call can be repeated.
    static func upload(_ context: ContextUpload) -> Call {
        Call(method: .POST, path: "/api/1/contexts", upload: context, isIdempotent: true)
    }
}
