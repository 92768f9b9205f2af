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
            let attempt = try ComposeAttempt(answering: question)
            defer { attempt.removeDirectory(logger: nil) }
            let inputs = PinnedInputs(
                source: try await sources.pin(attempt), lookaside: try await sources.pinLookaside(of: request),
                moduleDefaults: try await sources.pinModuleDefaults(attempt))
            let content = try await inputs.source.content(
                lookaside: inputs.lookaside, defaults: inputs.moduleDefaults?.metadata ?? ModuleMetadata(), for: attempt)
            guard case .packages(let packages) = content else { throw ComposeSources.notConfigured(request.sourceType) }
            let choice = try await choose(from: packages, for: request) { findings.append($0) }
            let other =
                request.flags.contains(.noReuse)
                ? nil
                : try await store.reusableCompose(
                    specification: inputs.source.isSettled(for: request) ? ComposeSpecification(request, pins: inputs.record) : nil,
                    packagesKey: choice.key)
            return DryRunDocument(
                outcome: other == nil ? .build : .reuse, reuses: other, findings: choice.findings, trees: Self.trees(of: choice.resolution),
                estimateSeconds: other == nil ? try await store.averageSeconds() : nil)
        } catch let failure as ComposeFailure where failure.code != .canceled {
            return DryRunDocument(outcome: .failure, failure: failure, findings: findings)
        } catch let error as RepodataError {
            return DryRunDocument(outcome: .failure, failure: ComposeFailure(writing: error), findings: findings)
        }
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
