import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identity
import Logging
import NIOCore
import Postgres
import SystemPackage

@testable import ComposeFrontend

/// A frontend on a database and a target directory of its own.
struct FrontendFixture {
    let client: any TestClientProtocol
    let database: TestDatabase
    /// The target directory called `default`.
    let target: FilePath
    /// The sender of requests without an Authorization header, for ``NamedProvider``.
    var sender: String?

    static func with(
        _ setup: TestingSetup = .router, logger: Logger = .silent, configure: (inout FrontendConfiguration) -> Void = { _ in },
        providers: (@Sendable (ComposeStore) -> [any IdentityProvider])? = nil,
        _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        let target = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-frontend-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: true)
        var configuration = FrontendConfiguration(
            serverURL: "https://odcs.example.com/",
            targets: [
                "default": .init(path: target, url: "/composes"),
                "private": .init(path: "/nowhere", url: "https://files.example.com/private/"),
            ],
            limits: RequestLimits(
                defaultArches: ["x86_64", "aarch64"], defaultSecondsToLive: 3600, maximumSecondsToLive: 7200),
            admission: Admission(
                capabilities: ServerCapabilities(
                    hasModuleRepositories: true,
                    missingSettings: [.tag: ["koji.hub"], .build: ["koji.hub"], .pulp: ["pulp.url"]]), places: AllowedPlaces()),
            rawConfigURLs: ["pungi_cfg": ["url": "https://example.com/pungi.git"]], version: "1.2.3",
            perPage: (default: 10, maximum: 50))
        configure(&configuration)
        let final = configuration
        do {
            try await TestDatabase.with { database in
                var final = final
                if let providers { final.access.chain = IdentityChain(providers(database.store)) }
                let frontend = ComposeFrontend(configuration: final, store: database.store, logger: logger)
                try await frontend.application(address: .hostname("127.0.0.1", port: 0)).test(setup) { client in
                    try await body(FrontendFixture(client: client, database: database, target: target))
                }
            }
        } catch {
            try FileManager.default.removeItem(atPath: target.string)
            throw error
        }
        try FileManager.default.removeItem(atPath: target.string)
    }

    func request(
        _ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let sender, headers[.authorization] == nil { headers[.authorization] = "Bearer \(sender)" }
        return try await client.execute(uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }) {
            Answer($0)
        }
    }

    /// The same frontend, with requests by a sender.
    func by(_ sender: String) -> FrontendFixture {
        var fixture = self
        fixture.sender = sender
        return fixture
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> Answer {
        try await request(.get, uri, headers: headers)
    }

    func post(_ body: String, to uri: String = "/api/1/composes/") async throws -> Answer {
        try await request(.post, uri, body)
    }

    var composesStored: Int {
        get async throws { try await database.store.list(ComposeQuery()).total }
    }

    func write(_ text: String, to path: String) throws {
        let file = target.appending(path)
        try FileManager.default.createDirectory(atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file.string))
    }
}

/// Allows every address, and the directories below /srv.
struct AllowedPlaces: SourcePlaces {
    func authorize(_ locations: [String]) throws(ComposeFailure) {
        guard let wrong = locations.first(where: { !$0.hasPrefix("/srv/") && !$0.hasPrefix("https://") }) else { return }
        throw ComposeFailure(.sourceNotUsable, "The repository \(wrong) is outside of what this server may read: /srv.")
    }

    func check(_ words: [String], of type: SourceType) {}
}

extension ServerCapabilities {
    /// Those of a server that has every system.
    static let all = ServerCapabilities(
        hasKoji: true, hasModuleBuildService: true, hasModuleTags: true, hasModuleRepositories: true)
}

/// What came back.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        text = String(buffer: response.body)
    }

    var json: JSONValue {
        get throws { try JSONValue(parsing: Data(text.utf8)) }
    }

    /// The message of an error.
    var message: String? {
        get throws { try json["message"]?.string }
    }
}

extension JSONValue {
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    var string: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }

    var integer: Int? {
        guard case .integer(let integer) = self else { return nil }
        return integer
    }

    var count: Int? {
        switch self {
        case .array(let elements): elements.count
        case .object(let members): members.count
        default: nil
        }
    }

    var keys: Set<String> {
        guard case .object(let members) = self else { return [] }
        return Set(members.keys)
    }
}
