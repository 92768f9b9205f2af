import ComposeModel
import ComposeStore
import Compression
import Depsolve
import Foundation
import ImageModel
import Modules
import Repodata

extension ComposePipeline {
    /// Finds out what a request would give now. Nothing is published, and no compose is made.
    ///
    /// Throws what is no failure of the compose, for example an error of the database.
    func dryRun(_ question: Question) async throws -> DryRunDocument {
        let request = question.request
        var findings: [String] = []
        do {
            let attempt = try ComposeAttempt(answering: question, configuration: configuration)
            defer { attempt.removeDirectory(logger: nil) }
            let (inputs, packages) = try await packages(for: attempt)
            let choice = try await choose(from: packages, for: request) { findings.append($0) }
            let other = try await other(with: inputs, or: choice, for: request)
            return DryRunDocument(
                outcome: other.joined != nil ? .join : other.reused != nil ? .reuse : .build, reuses: other.reused, joins: other.joined,
                findings: choice.findings, trees: Self.trees(of: choice.resolution),
                estimateSeconds: other.reused == nil ? try await store.averageSeconds() : nil)
        } catch let failure as ComposeFailure where failure.code != .canceled {
            return DryRunDocument(outcome: .failure, failure: failure, findings: findings)
        } catch let error as RepodataError {
            return DryRunDocument(outcome: .failure, failure: ComposeFailure(writing: error), findings: findings)
        }
    }

    /// Pins the inputs of a question, and brings the packages to this host. An input that changes meanwhile
    /// is pinned again, as for a compose.
    func packages(for attempt: ComposeAttempt) async throws -> (inputs: PinnedInputs, packages: PackageSet) {
        let compose = attempt.lease.compose
        for pinning in 1... {
            let inputs = PinnedInputs(
                source: try await sources.pin(attempt), lookaside: try await sources.pinLookaside(compose),
                moduleDefaults: try await sources.pinModuleDefaults(attempt))
            do {
                let content = try await inputs.source.content(
                    lookaside: inputs.lookaside, defaults: inputs.moduleDefaults?.metadata ?? ModuleMetadata(), for: attempt)
                if case .packages(let packages) = content { return (inputs, packages) }
            } catch let failure as ComposeFailure
                where failure.code == .sourceChanging && pinning < Self.pinnings && !compose.isPinned
            {
                continue
            }
            break
        }
        throw ComposeSources.notConfigured(compose.request.sourceType)
    }

    /// Returns the compose that a compose of the request would join, or whose result it would show.
    private func other(
        with inputs: PinnedInputs, or choice: PackageChoice, for request: ComposeRequest
    ) async throws -> (joined: Int?, reused: Int?) {
        if request.flags.contains(.noReuse) { return (nil, nil) }
        let specification = ComposeSpecification(request, pins: inputs.record)
        // A compose looks for them in this order too.
        if let other = try await store.composeUnderWay(specification: specification) { return (other, nil) }
        return (
            nil,
            try await store.reusableCompose(
                specification: inputs.source.isSettled(for: request) ? specification : nil, packagesKey: choice.key)
        )
    }

    private static func trees(of resolution: Resolution) -> [DryRunDocument.Tree] {
        func tree(_ name: String, _ packages: [ResolvedPackage]) -> DryRunDocument.Tree {
            .init(
                tree: name, packages: packages.map(\.record.nevra.description), bytes: packages.map(\.record.size).reduce(0, +))
        }
        let trees = resolution.trees.map { tree($0.arch, $0.binaries + $0.debug) }
        return resolution.sources.isEmpty ? trees : trees + [tree("source", resolution.sources)]
    }
}
