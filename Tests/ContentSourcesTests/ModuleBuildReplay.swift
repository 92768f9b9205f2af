import Foundation
import SystemPackage

/// A Module Build Service that has the recorded builds of modules, filters them as the real one was seen to, and refuses what the real one refuses.
struct ModuleBuildReplay: Sendable {
    static let path = "/module-build-service/1/"

    /// Also those that were recorded.
    var hasRecorded = true
    /// More builds than the recorded ones, as JSON objects; the later, the newer.
    var additional: [String] = []
    /// Answers to `final-modulemd/NUMBER`.
    var finalDocuments: [Int: [String: String]] = [:]

    /// A recorded answer.
    static func recording(_ name: String) throws -> [UInt8] {
        try FilePath(#filePath).removingLastComponent().appending("ModuleBuildAnswers/\(name).json").contents()
    }

    /// The JSON of a build that was not recorded.
    static func build(
        _ nsvc: String, number: Int, requires: String = "platform: [f26]", state: Int = 5,
        base: (stream: String, version: Double) = ("f26.0.0", 260000),
        isScratch: Bool = false, document: String? = nil, reason: String? = nil
    ) throws -> String {
        let parts = nsvc.split(separator: ":").map(String.init)
        let object: [String: Any] = [
            "id": number, "name": parts[0], "stream": parts[1], "version": parts[2], "context": parts[3], "state": state,
            "state_name": ["init", "wait", "build", "done", "failed", "ready"][state], "state_reason": reason ?? NSNull(),
            "scratch": isScratch,
            "koji_tag": "module-\(nsvc.replacing(":", with: "-"))", "modulemd": document ?? Self.document(nsvc, requires: requires),
            "base_module_buildrequires": [["name": "platform", "stream": base.stream, "stream_version": base.version]],
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }

    static func document(_ nsvc: String, requires: String = "platform: [f26]", arch: String = "x86_64") -> String {
        let parts = nsvc.split(separator: ":").map(String.init)
        return """
            ---
            document: modulemd
            version: 2
            data:
              name: \(parts[0])
              stream: "\(parts[1])"
              version: \(parts[2])
              context: \(parts[3])
              arch: \(arch)
              summary: A module
              description: A module.
              license: {module: [MIT]}
              dependencies:
              - requires: {\(requires)}
              artifacts:
                rpms:
                - \(parts[0])-0:1-1.\(arch)
            ...

            """
    }

    func answer(_ request: PulpHTTPServer.Request) -> PulpHTTPServer.Answer {
        guard request.path.hasPrefix(Self.path) else { return .html("<h1>Not Found</h1>", status: 404) }
        let resource = request.path.dropFirst(Self.path.count)
        do {
            if resource == "module-builds/" { return try list(Query(request.uri)) }
            if let number = resource.split(separator: "/").last.flatMap({ Int($0) }), resource.hasPrefix("final-modulemd/") {
                guard let documents = finalDocuments[number] else { return Self.refusal("The module could not be found") }
                return PulpHTTPServer.Answer(body: Array(try JSONSerialization.data(withJSONObject: documents)))
            }
            return .json("{\"error\": \"Not Found\", \"message\": \"No such module found.\", \"status\": 404}", status: 404)
        } catch {
            return .status(500)
        }
    }

    private static func refusal(_ message: String) -> PulpHTTPServer.Answer {
        .json("{\"error\": \"Bad Request\", \"message\": \"\(message)\", \"status\": 400}", status: 400)
    }

    private struct Query {
        private var values: [String: [String]] = [:]

        init(_ uri: String) {
            for item in URLComponents(string: uri)?.queryItems ?? [] {
                values[item.name] = (values[item.name] ?? []) + [item.value ?? ""]
            }
        }

        func all(_ name: String) -> [String] { values[name] ?? [] }
        func first(_ name: String) -> String? { values[name]?.first }
        func isTrue(_ name: String) -> Bool { ["true", "1"].contains(first(name)?.lowercased()) }
    }

    private typealias Build = [String: Any]

    private func builds() throws -> [Build] {
        var builds: [Int: Build] = [:]
        for name in hasRecorded ? ["page0", "odcs-ns-ready-done", "odcs-dash-stream"] : [] {
            let answer = try JSONSerialization.jsonObject(with: Data(try Self.recording(name))) as? [String: Any]
            for build in answer?["items"] as? [Build] ?? [] { builds[build["id"] as? Int ?? 0] = build }
        }
        for text in additional {
            guard let build = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Build else { continue }
            builds[build["id"] as? Int ?? 0] = build
        }
        return builds.sorted { $0.key > $1.key }.map(\.value)
    }

    private func list(_ query: Query) throws -> PulpHTTPServer.Answer {
        var found = try builds()
        let names = ["init", "wait", "build", "done", "failed", "ready"]
        for state in query.all("state") where Int(state) == nil && !names.contains(state) {
            return Self.refusal("Invalid state was supplied: \(state)")
        }
        let states = query.all("state").map { Int($0) ?? names.firstIndex(of: $0) }
        if !states.isEmpty { found = found.filter { states.contains($0["state"] as? Int) } }
        let nsvc = query.first("nsvc")?.split(separator: ":").map(String.init) ?? []
        for (key, value) in zip(["name", "stream", "version", "context"], nsvc) { found = found.filter { $0[key] as? String == value } }
        if let name = query.first("name") { found = found.filter { $0["name"] as? String == name } }
        found = found.filter { Self.isBuilt($0, by: query) }
        if let key = query.first("order_desc_by") {
            guard key == "version" else { return Self.refusal("An invalid ordering key of \"\(key)\" was supplied") }
            found = found.enumerated().sorted { (Self.version($0.element), $1.offset) > (Self.version($1.element), $0.offset) }.map(
                \.element)
        }
        let size = query.first("per_page").flatMap { Int($0) } ?? 10
        let page = max(1, query.first("page").flatMap { Int($0) } ?? 1)
        let pages = (found.count + size - 1) / size
        let items = found.dropFirst((page - 1) * size).prefix(size).map { build in
            let left = query.isTrue("short") ? ["context", "id", "name", "scratch", "state", "state_name", "stream", "version"] : nil
            let plain = query.isTrue("verbose") ? nil : ["modulemd", "base_module_buildrequires"]
            return build.filter { (left?.contains($0.key) ?? true) && !(plain?.contains($0.key) ?? false) }
        }
        // The links lead elsewhere and have one state alone.
        let next = "http://127.0.0.1:1\(Self.path)module-builds/?page=\(page + 1)&per_page=\(size)&state=\(query.all("state").last ?? "")"
        let meta: [String: Any] = [
            "page": page, "pages": pages, "per_page": size, "total": found.count, "next": page < pages ? next : NSNull(), "prev": NSNull(),
        ]
        return PulpHTTPServer.Answer(body: Array(try JSONSerialization.data(withJSONObject: ["items": items, "meta": meta])))
    }

    private static func version(_ build: Build) -> Int { Int(build["version"] as? String ?? "") ?? 0 }

    private static func isBuilt(_ build: Build, by query: Query) -> Bool {
        let (name, stream) = (query.first("base_module_br_name"), query.first("base_module_br_stream"))
        let most = query.first("base_module_br_stream_version_lte").flatMap(Double.init)
        let least = query.first("base_module_br_stream_version_gte").flatMap(Double.init)
        if name == nil, stream == nil, most == nil, least == nil { return true }
        return (build["base_module_buildrequires"] as? [Build] ?? []).contains { base in
            let version = base["stream_version"] as? Double
            return (name ?? base["name"] as? String) == base["name"] as? String
                && (stream ?? base["stream"] as? String) == base["stream"] as? String
                && (most.map { version ?? .infinity <= $0 } ?? true) && (least.map { version ?? -.infinity >= $0 } ?? true)
        }
    }
}
