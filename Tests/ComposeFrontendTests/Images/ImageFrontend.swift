import ComposeStore
import ComposeTestKit
import Foundation
import HTTPEnvironment
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ImageModel
import ImageTestKit
import Logging
import NIOCore
import Registry
import Testing

@testable import ComposeFrontend

/// Frontends that build images.
extension FrontendFixture {
    /// The registry of frontends whose test does not need one. Nothing listens there.
    static let nowhere = "registry.example.org/team"

    /// Runs `body` with a frontend that builds images.
    ///
    /// - Parameter registry: The value of `images.registry`.
    static func withImages(
        _ setup: TestingSetup = .router, registry: String = nowhere, logger: Logger = .silent,
        configure: (inout FrontendConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        var rules = RegistryConfiguration(isLoopbackInsecure: true)
        rules.limits.attempts = 1
        let client = RegistryClient(rules, environment: HTTPEnvironment([:]), logger: .silent)
        let namespace = try ImageNamespace(registry)
        do {
            try await with(setup, logger: logger) { configuration in
                configuration.images = ImageService(namespace: namespace, registry: client)
                configure(&configuration)
            } _: {
                try await body($0)
            }
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    /// A definition that needs no context.
    static let definition = #"{"source": {"containerfile": "FROM scratch\nCOPY . /\n"}, "platforms": ["linux/amd64", "arm64"]}"#

    /// Adds an image, and returns its document.
    @discardableResult
    func add(_ repository: String, _ definition: String = Self.definition, headers: HTTPFields = [:]) async throws -> JSONValue {
        let answer = try await request(
            .post, "/api/1/images/", #"{"repository": "\#(repository)", "definition": \#(definition)}"#, headers: headers)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.json
    }

    func upload(_ bytes: [UInt8]) async throws -> Answer {
        try await client.execute(uri: "/api/1/contexts/", method: .post, body: ByteBuffer(bytes: bytes)) { Answer($0) }
    }

    /// Makes an image have these packages on one platform, as if it was built elsewhere.
    func contents(_ state: Contents.State, of image: Int, on platform: String = "linux/amd64", digest: ImageDigest) async throws {
        let platform = try Platform(platform)
        let known = try await database.store.manifests(of: image)
        try await database.store.recordLook(
            at: image, tag: .latest, digest: digest, manifests: known.merging([platform: digest]) { $1 })
        try await database.store.record(Contents(digest: digest, platform: platform, state: state))
    }
}

extension ImageDigest {
    static func numbered(_ number: Int) throws -> ImageDigest {
        try ImageDigest("sha256:" + String(repeating: "0", count: 64 - String(number).count) + String(number))
    }
}

extension InstalledPackage {
    /// Example: `"openssl-libs 1:3.0.7-28"`.
    static func named(_ text: String, arch: String = "x86_64") throws -> InstalledPackage {
        let parts = text.split(separator: " ")
        return InstalledPackage(name: String(parts[0]), evr: try #require(EVR(written: parts[1])), arch: arch)
    }
}
