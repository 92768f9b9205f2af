import ComposeModel
public import ComposeStore
public import ContentSources
public import Depsolve
import Foundation
public import NIOPosix
import Repodata

/// The road of a compose, from a lease to a repository that is published: pin, settle, fetch, resolve, write, finish.
///
/// Each step takes a value and gives the next one its own. What goes wrong is thrown as a `ComposeFailure`; a lost lease as ``LeaseLost``.
public struct ComposePipeline: Sendable {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let source: RepositorySource
    let depsolver: Depsolver
    let delivery: PackageDelivery
    let threadPool: NIOThreadPool

    /// How often a source that changes while it is read is looked at anew within one attempt.
    private static let pinnings = 3

    public init(
        configuration: WorkerConfiguration, store: ComposeStore, source: RepositorySource, depsolver: Depsolver, delivery: PackageDelivery,
        threadPool: NIOThreadPool
    ) {
        self.configuration = configuration
        self.store = store
        self.source = source
        self.depsolver = depsolver
        self.delivery = delivery
        self.threadPool = threadPool
    }

    func run(_ attempt: ComposeAttempt) async throws {
        let compose = attempt.lease.compose
        attempt.log.write(.info, "Attempt \(compose.attempts) at compose \(compose.id) by \(configuration.name).")
        guard let content = try await settledContent(attempt) else { return }
        let resolution = try await resolve(content, for: attempt)
        let tree = try await write(resolution, from: content, for: attempt)
        try await publish(tree, explaining: resolution, for: attempt)
    }

    // MARK: Pin, settle, fetch

    /// What the compose is made from, pinned and on this host; `nil` when an equal compose made it unnecessary.
    private func settledContent(_ attempt: ComposeAttempt) async throws -> PackageSet? {
        let compose = attempt.lease.compose
        for pinning in 1... {
            let pins = try await pin(compose)
            for repository in pins.repositories + pins.lookaside {
                attempt.log.write(.info, "Pinned \(repository.location) at \(repository.checksum).")
            }
            let specification = ComposeSpecification(
                compose.request, repositories: pins.repositories.map(ComposeSpecification.Repository.init),
                lookaside: pins.lookaside.map(ComposeSpecification.Repository.init))
            let settlement = try await store.settle(
                attempt.lease, as: specification, source: compose.request.source.joined(separator: " "),
                reason: { "Done: it shows compose \($0), whose inputs are the same." })
            switch settlement {
            case .leaseLost:
                throw LeaseLost()
            case .reused(let other):
                attempt.log.write(.info, "Compose \(other) has the same inputs: its repository is shown.")
                return nil
            case .joined(let other):
                attempt.log.write(.info, "Compose \(other) has the same inputs and is under way: its repository will be shown.")
                return nil
            case .build:
                break
            }
            do {
                return try await fetch(pins)
            } catch let failure as ComposeFailure
                where failure.code == .sourceChanging && pinning < Self.pinnings && !compose.isPinned
            {
                attempt.log.write(.warning, "\(failure.message) It is looked at anew.")
            }
        }
        return nil
    }

    private struct Pins {
        var repositories: [RepositoryPin]
        var lookaside: [RepositoryPin]
    }

    private func pin(_ compose: Compose) async throws -> Pins {
        if compose.isPinned, let specification = compose.specification {
            return Pins(
                repositories: try specification.repositories.map(RepositoryPin.init),
                lookaside: try specification.lookaside.map(RepositoryPin.init))
        }
        return Pins(repositories: try await pin(compose.request.source), lookaside: try await pin(compose.request.lookasideRepos))
    }

    private func pin(_ locations: [String]) async throws -> [RepositoryPin] {
        var pins: [RepositoryPin] = []
        for location in locations {
            pins.append(try await source.pin(try RepositoryLocation(location)))
        }
        return pins
    }

    private func fetch(_ pins: Pins) async throws -> PackageSet {
        var content = PackageSet(repositories: [], lookaside: [])
        for pin in pins.repositories { content.repositories.append(try await source.metadata(for: pin)) }
        for pin in pins.lookaside { content.lookaside.append(try await source.metadata(for: pin)) }
        return content
    }

    // MARK: Resolve

    private func resolve(_ content: PackageSet, for attempt: ComposeAttempt) async throws -> Resolution {
        let request = attempt.lease.compose.request
        let resolution: Resolution
        do throws(DepsolveError) {
            resolution = try await depsolver.resolve(
                DepsolveRequest(
                    repositories: content.repositories.map(\.metadata), lookaside: content.lookaside.map(\.metadata),
                    packages: request.packages, arches: request.arches, multilibArches: request.multilibArches,
                    multilibMethod: MultilibMethod(request.multilibMethods), noDeps: request.flags.contains(.noDeps),
                    checkInstallability: request.flags.contains(.checkDeps)))
        } catch {
            throw ComposeFailure(error, in: content)
        }
        for finding in resolution.findings { attempt.log.write(.warning, finding) }
        if let failure = resolution.failure(of: request) { throw failure }
        let binaries = resolution.trees.map(\.binaries.count).reduce(0, +)
        attempt.log.write(.info, "Resolved: \(binaries) packages, \(resolution.sources.count) source packages.")
        return resolution
    }

    // MARK: Write

    private func write(_ resolution: Resolution, from content: PackageSet, for attempt: ComposeAttempt) async throws -> WrittenTree {
        let writer = ComposeTreeWriter(
            attempt: attempt, configuration: configuration, content: content, delivery: delivery, threadPool: threadPool)
        return try await writer.write(resolution)
    }

    // MARK: Finish

    private func publish(_ tree: WrittenTree, explaining resolution: Resolution, for attempt: ComposeAttempt) async throws {
        let publication = Publication(attempt: attempt)
        let reason = Resolution.text("Done: \(tree.packages) packages.", listing: resolution.findings)
        attempt.log.write(.info, "Written: \(tree.packages) packages, \(tree.bytes) bytes.")
        let held = try await store.finish(attempt.lease, packages: tree.packages, bytes: tree.bytes, reason: reason) {
            try await threadPool.runIfActive { try publication.publish() }
            // The last line, before anybody can see that the compose is done and stop reading.
            attempt.log.write(.info, "Done.")
        }
        guard held else { throw LeaseLost() }
    }
}

extension ComposeSpecification.Repository {
    init(_ pin: RepositoryPin) {
        self.init(location: pin.location.description, repomd: pin.checksum.description)
    }
}

extension RepositoryPin {
    init(_ repository: ComposeSpecification.Repository) throws {
        guard let checksum = Checksum(repository.repomd) else {
            throw ComposeFailure(.internal, "The record of this compose has a checksum that cannot be read: \(repository.repomd).")
        }
        self.init(recorded: checksum, of: try RepositoryLocation(repository.location))
    }
}

extension MultilibMethod {
    init(_ methods: MultilibMethods) {
        self = []
        if methods.contains(.runtime) { insert(.runtime) }
        if methods.contains(.devel) { insert(.devel) }
        if methods.contains(.all) { insert(.all) }
    }
}
