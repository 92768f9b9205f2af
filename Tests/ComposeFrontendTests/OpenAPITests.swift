import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import ImageModel
import Testing

@testable import ComposeFrontend

/// The description of the routes, against the routes.
@Suite struct OpenAPITests {
    /// `GET /api/1/composes/{id}`, without a slash at the end.
    private static func described(_ description: JSONValue) -> Set<String> {
        guard case .object(let paths)? = description["paths"] else { return [] }
        return Set(
            paths.flatMap { path, item in
                item.keys.subtracting(["parameters"]).map { "\($0.uppercased()) /\(path.split(separator: "/").joined(separator: "/"))" }
            })
    }

    @Test("every route of the server is described, and everything described is a route")
    func routes() async throws {
        let configuration = FrontendConfiguration(
            targets: [:], admission: Admission(capabilities: .all, places: AllowedPlaces()), version: "1")
        try await TestDatabase.with { database in
            let frontend = ComposeFrontend(configuration: configuration, store: database.store, logger: .silent)
            let routes = frontend.resources(metrics: HTTPMetrics()).flatMap { resource in
                resource.operations.keys.map { "\($0.rawValue) /\(resource.path.description.split(separator: "/").joined(separator: "/"))" }
            }
            let description = try OpenAPIDescription(configuration, server: "http://localhost")
            #expect(Self.described(try JSONValue(parsing: Data(description.json.utf8))) == Set(routes))
        }
    }

    @Test("every operation that looks at credentials is described with a 401")
    func unauthorized() async throws {
        try await FrontendFixture.with { frontend in
            guard case .object(let paths)? = try await frontend.get("/api/1").json["paths"] else {
                Issue.record("There are no paths.")
                return
            }
            for (path, item) in paths where !["/api/1/metrics/", "/healthz", "/readyz"].contains(path) {
                for method in item.keys.subtracting(["parameters"]) {
                    #expect(item[method]?["responses"]?["401"] != nil, "\(method) \(path)")
                }
            }
        }
    }

    @Test("it is OpenAPI 3.1 with the server's own version, address and limits, and nothing left to fill in")
    func document() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1/")
            #expect(answer.headers[.contentType] == "application/json")
            let description = try answer.json
            #expect(description["openapi"] == .string("3.1.0"))
            #expect(description["info"]?["version"] == .string("1.2.3"))
            #expect(description["servers"]?[0]?["url"] == .string("https://odcs.example.com"))
            let schemas = try #require(description["components"]?["schemas"])
            let types = ["module", "repo", "raw_config", "pungi_compose"].map(JSONValue.string)
            #expect(schemas["Source"]?["properties"]?["type"]?["enum"] == .array(types))
            #expect(schemas["Source"]?["oneOf"]?[0]?["$ref"] == .string("#/components/schemas/ModuleSource"))
            #expect(
                schemas["ComposeRequest"]?["properties"]?["target_dir"]?["enum"]
                    == .array(["default", "private", ""].map(JSONValue.string)))
            #expect(schemas["Packages"]?["maxItems"] == .integer(10_000))
            let left = answer.text.matches(of: /\{[a-z_]+\}/).map { String($0.output) }
            // Both stand in texts for people: a path, and the tag of the date in other tags.
            #expect(Set(left) == ["{id}", "{date}"])
        }
    }

    @Test("each base address has a description of its own, for however many addresses")
    func addresses() throws {
        let configuration = FrontendConfiguration(
            targets: [:], admission: Admission(capabilities: .all, places: AllowedPlaces()), version: "1")
        let known = KnownDescriptions()
        for number in Array(0..<18) + [0, 17, 17] {
            let server = "http://host\(number).example"
            let description = try JSONValue(parsing: Data(known.description(configuration, server: server).json.utf8))
            #expect(description["servers"]?[0]?["url"] == .string(server))
        }
        let operations = try known.operations(configuration, server: "http://host17.example")
        #expect(operations.contains { $0.path.hasSuffix("/composes/") })
        #expect(try known.operations(configuration, server: "http://host17.example").map(\.summary) == operations.map(\.summary))
    }

    @Test("every reference in it leads somewhere")
    func references() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1")
            let description = try answer.json
            for reference in answer.text.matches(of: /"#\/components\/([A-Za-z]+)\/([A-Za-z]+)"/) {
                #expect(description["components"]?[String(reference.1)]?[String(reference.2)] != nil, "\(reference.0)")
            }
        }
    }

    @Test("a compose has every member that its schema requires, and its schema has every member of the contract")
    func compose() async throws {
        try await FrontendFixture.with { frontend in
            let schema = try await frontend.get("/api/1").json["components"]?["schemas"]?["Compose"]
            let members = try #require(schema?["properties"]).keys
            #expect(members.isSuperset(of: SubmissionTests.contract))
            let compose = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#).json
            #expect(compose.keys == members)
        }
    }

    @Test("a watch has every member that its schema has, and its schema requires all of them")
    func watch() async throws {
        try await FrontendFixture.with(configure: { $0.admission.capabilities = .all }) { frontend in
            let schema = try await frontend.get("/api/1").json["components"]?["schemas"]?["Watch"]
            let watch = try await frontend.post(#"{"source": {"type": "tag", "source": "f26"}}"#, to: "/api/1/watches/").json
            #expect(watch.keys == schema?["properties"]?.keys)
            guard case .array(let required)? = schema?["required"] else {
                Issue.record("The schema requires no member.")
                return
            }
            #expect(watch.keys == Set(required.compactMap(\.string)))
        }
    }

    @Test("images and builds have every member that their schemas have, and the schemas require all of them")
    func images() async throws {
        try await FrontendFixture.withImages { frontend in
            let schemas = try #require(try await frontend.get("/api/1").json["components"]?["schemas"])
            try await frontend.add("web")
            try await frontend.contents(.read([.named("zlib 1-1")]), of: 1, digest: .numbered(1))
            let build = try await frontend.request(.post, "/api/1/images/1/builds").json
            let image = try await frontend.get("/api/1/images/1").json
            let contents = try await frontend.get("/api/1/images/1/contents").json
            let difference = try await frontend.get("/api/1/images/1/diff?from=\(ImageDigest.numbered(1))").json
            let affected = try await frontend.get("/api/1/images/?contains=zlib").json
            for (document, name) in [
                (image, "Image"), (image["definition"], "DefinitionShown"), (build, "Build"), (build["steps"]?[0], "BuildStep"),
                (image["latest_build"], "BuildSummary"), (contents, "ImageContents"),
                (contents["manifests"]?[0]?["packages"]?[0], "InstalledPackage"), (difference, "ImageDifference"),
                (affected["items"]?[0], "ImageWithPackage"), (affected["unknown"], "UnknownImages"),
            ] {
                #expect(document?.keys == schemas[name]?["properties"]?.keys, "\(name)")
                guard case .array(let required)? = schemas[name]?["required"] else {
                    Issue.record("The schema \(name) requires no member.")
                    continue
                }
                #expect(document?.keys == Set(required.compactMap(\.string)), "\(name)")
            }
        }
    }

    @Test("every member of a request is described: as a client sends it, and as the service shows it")
    func request() async throws {
        try await FrontendFixture.with { frontend in
            let schemas = try #require(try await frontend.get("/api/1").json["components"]?["schemas"])
            #expect(schemas["Compose"]?["properties"]?.keys.isSuperset(of: RequestDocument.memberNames) == true)
            var submission = ComposeSubmission(source: .init())
            var (members, source) = (Names(), Names())
            submission.visit(&members)
            submission.source.visit(&source)
            #expect(schemas["ComposeRequest"]?["properties"]?.keys == members.names.union(["source", "seconds-to-live"]))
            #expect(schemas["Source"]?["properties"]?.keys == source.names)
        }
    }

    /// The names of the members of a submission.
    private struct Names: SubmissionVisitor {
        private(set) var names: Set<String> = []

        mutating func member(_ name: String, _ value: inout String?) throws(Never) { names.insert(name) }
        mutating func member(_ name: String, _ value: inout [String]?) throws(Never) { names.insert(name) }
        mutating func member(_ name: String, _ value: inout Int?) throws(Never) { names.insert(name) }
        mutating func member(_ name: String, _ value: inout Bool?) throws(Never) { names.insert(name) }
        mutating func secondsToLive(_ value: inout Int?) throws(Never) { names.insert("seconds_to_live") }
    }

    @Test("a browser gets a page that lists the routes")
    func page() async throws {
        try await FrontendFixture.with { frontend in
            let page = try await frontend.get("/api/1/", headers: [.accept: "text/html,*/*"])
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.text.contains("<td>PATCH</td><td><code>/api/1/composes/{id}</code></td>"))
        }
    }
}
