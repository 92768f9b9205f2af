import ComposeStore
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

/// Images and builds for tests, on two platforms.
extension TestDatabase {
    static let amd64 = certain { try Platform("linux/amd64") }
    static let arm64 = certain { try Platform("linux/arm64") }
    static let day = certain { try ImageTag("20261129") }
    static let everything = StepOffer(platforms: [amd64, arm64])
    static let owner = Actor(name: "me", isAdmin: false)

    static func definition(_ platforms: [Platform] = [amd64, arm64]) -> ImageDefinition {
        ImageDefinition(source: .containerfile("FROM scratch"), platforms: platforms)
    }

    /// Adds an image with the name `registry.example/team/NAME`.
    func image(_ name: String, _ platforms: [Platform] = [amd64, arm64]) async throws -> Image {
        let repository = try ImageReference("registry.example/team/\(name)").repository
        let outcome = try await store.addImage(repository, as: Self.definition(platforms), by: Self.owner)
        guard case .added(let image) = outcome else { throw NotAdded() }
        return image
    }

    struct NotAdded: Error {}

    func build(of image: Image) async throws -> Build {
        try await store.submitBuild(of: image.id, BuildRequest(image.definition), owner: "me", dateTag: Self.day)
    }

    func build(_ id: Int) async throws -> Build { try #require(try await store.build(id)) }

    func claim(_ offer: StepOffer = everything, by worker: String = "w") async throws -> StepLease {
        try #require(try await store.claimStep(by: worker, offering: offer, for: .seconds(60)))
    }

    /// Does the steps that can be claimed, until none is left.
    ///
    /// - Returns: The steps in the order in which they were claimed, for example `1 linux/amd64`, `1 list`.
    @discardableResult
    func doSteps(most: Int = .max) async throws -> [String] {
        var steps: [String] = []
        while steps.count < most, let lease = try await store.claimStep(by: "w", offering: Self.everything, for: .seconds(60)) {
            steps.append("\(lease.step.build) \(lease.step.platform?.description ?? "list")")
            #expect(try await store.finish(lease, digest: .numbered(lease.step.id), tags: lease.step.platform == nil ? [.latest] : []))
        }
        return steps
    }

    /// Ends a lease's time, as if its worker had been silent for too long.
    func letExpire(_ lease: StepLease) async throws {
        _ = try await pool.query("UPDATE build_steps SET lease_expires_at = now() - interval '1 s' WHERE id = \(lease.step.id)")
    }
}

extension ImageDigest {
    static func numbered(_ number: Int) -> ImageDigest {
        certain { try ImageDigest("sha256:" + String(repeating: "0", count: 64 - String(number).count) + String(number)) }
    }
}

/// Returns the value of a text that a test wrote.
private func certain<Value>(_ value: () throws -> Value) -> Value {
    do {
        return try value()
    } catch {
        fatalError("\(error)")
    }
}
