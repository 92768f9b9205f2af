public import ComposeModel
public import ComposeStore
import ForeignText
public import ImageModel
import NIOPosix
public import SystemPackage

/// A *drawn plan* is a plan of a rebuild, with the facts that people want to see beside it.
public struct DrawnPlan: Sendable {
    public var plan: RebuildPlan
    /// The images of the plan.
    public var images: [Int: Image]
    /// The number of all images of this service.
    public var total: Int
    /// The number of packages of the compose that count.
    public var packages: Int
}

/// The *rebuild plans* are plans that are drawn from the files of a compose and the facts in the store.
/// The list of a compose's packages can have megabytes, so a thread pool reads it and draws the plan.
public struct RebuildPlans: Sendable {
    let store: ComposeStore
    let directories: [String: FilePath]

    /// - Parameter directories: The target directories by name.
    public init(store: ComposeStore, directories: [String: FilePath]) {
        self.store = store
        self.directories = directories
    }

    /// Returns the plan to bring the packages of a compose into images.
    ///
    /// - Throws: ``RebuildProblem`` if there is no plan.
    public func plan(with compose: Compose, _ selection: RebuildSelection) async throws -> DrawnPlan {
        let threads = NIOThreadPool.singleton
        let offered = try await threads.runIfActive { try Self.chosen(try packages(of: compose), selection, compose.id) }
        let affected = try await store.images(olderThan: offered.all)
        let ids = Set(affected.affected.map(\.image)).union(affected.unknown.map(\.image))
        let facts = try await store.planningFacts(about: ids)
        var bases = try await threads.runIfActive { ImageBases(facts) }
        if !bases.withoutBase.isEmpty { bases.find(among: try await store.layers(of: ids)) }
        let references = bases.references
        let own = try await store.repositoriesBuilt(among: Set(references.map(\.repository)))
        let foreign = try await store.bases(references.filter { !own.contains($0.repository) })
        let planner = RebuildPlanner(
            offered: offered, selection: selection, images: bases.images, ownRepositories: own, affected: affected,
            foreign: foreign.mapValues { platforms in
                platforms.mapValues { ForeignBase(digest: $0.digest, packages: $0.contents?.packages?.newest) }
            })
        let plan = try await threads.runIfActive { try planner.plan() }
        return DrawnPlan(
            plan: plan, images: Dictionary(facts.images.map { ($0.id, $0) }) { first, _ in first }, total: facts.total,
            packages: offered.all.count)
    }

    private func packages(of compose: Compose) throws(RebuildProblem) -> OfferedPackages {
        switch compose.state {
        case .done: break
        case .wait, .generating:
            throw RebuildProblem("Compose \(compose.id) is in state \(compose.state.name). Its packages are known when it is done.")
        case .failed: throw RebuildProblem("Compose \(compose.id) has failed: \(compose.failure?.message ?? compose.stateReason ?? "").")
        case .removed: throw RebuildProblem("Compose \(compose.id) was removed. Renew it, and use the new compose.")
        }
        guard let directory = directories[compose.request.targetDir] else {
            throw RebuildProblem("Compose \(compose.id) is in a target directory that this server does not have.")
        }
        return try LockedPackages.read(directory.appending(ComposeLayout(id: compose.resultOf).directory), of: compose.id)
    }

    /// The packages that a selection names.
    private static func chosen(
        _ offered: OfferedPackages, _ selection: RebuildSelection, _ compose: Int
    ) throws(RebuildProblem) -> OfferedPackages {
        guard !selection.packages.isEmpty else { return offered }
        var found: Set<String> = []
        let chosen = offered.packages.mapValues { packages in
            packages.filter { package in
                let names = selection.names(of: package)
                found.formUnion(names)
                return !names.isEmpty
            }
        }
        if let absent = selection.packages.first(where: { !found.contains($0) }) {
            throw RebuildProblem("Compose \(compose) does not have \(absent.quoted).")
        }
        return OfferedPackages(chosen.filter { !$0.value.isEmpty })
    }
}
