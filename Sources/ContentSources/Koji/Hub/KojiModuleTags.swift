public import ComposeModel
public import Koji
public import Modules

/// A catalog of the modules in Koji tags as of an event. The modules are builds of a content generator,
/// and their description is in the build's data.
///
/// For each stream of a module the builds of one tag count. First, the earliest tag of the list that
/// has builds of the stream is selected. Within the inheritance of that tag, the topmost tag that has
/// such builds is selected. Koji's own `latest` knows neither streams nor contexts.
///
/// All methods throw `.sourceNotUsable` if there is no such tag, and `.metadataCorrupt` for a
/// description that cannot be used. They throw `.sourceUnreachable` (transient) if the hub does not
/// answer.
public actor KojiModuleTags: ModuleCatalog {
    public nonisolated let name: String
    private let hub: KojiHub
    private let tags: [String]
    private let event: Int
    /// The list of the tags' modules. The first caller starts the task, and later callers wait for it.
    private var listing: Task<[TaggedModule.Stream: [TaggedModule]], any Error>?
    /// The builds' descriptions of the modules that they are, by the builds' numbers.
    private var known: [Int: KojiModule] = [:]

    /// - Parameter tags: The tags in order. A tag that has a stream hides that stream in later tags.
    public init(hub: KojiHub, tags: [String], event: Int) {
        name = "\(tags.count == 1 ? "the tag" : "the tags") \(tags.joined(separator: ", ")) of Koji"
        self.hub = hub
        self.tags = tags
        self.event = event
    }

    // MARK: Catalog

    /// Returns the builds that the reference means. If the tags have none and the reference has a version,
    /// it may mean any complete build in Koji. A filter by base modules applies only to documents that name
    /// the base modules they run on.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws(ComposeFailure) -> [ModuleBuild] {
        let found: [DescribedModule]
        do throws(KojiError) {
            let tagged = try await meant(by: reference)
            found = tagged.isEmpty ? try await anywhere(reference) : tagged
        } catch {
            throw ComposeFailure(error)
        }
        return try await Self.builds(of: found).filter { filter.accepts(documented: $0.stream) }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) async throws(ComposeFailure) -> [String] {
        do throws(KojiError) {
            let tagged = try await tagged().filter { $0.key.module == module }
            let certain = tagged.keys.filter { !$0.isAmbiguous }.map(\.name)
            let ambiguous = tagged.filter { $0.key.isAmbiguous }.values.joined().map(\.buildID)
            return Set(certain + (try await described(ambiguous).map(\.id.stream))).sorted()
        } catch {
            throw ComposeFailure(error)
        }
    }

    public func modules() async throws(ComposeFailure) -> [String] {
        do throws(KojiError) { return Set(try await tagged().keys.map(\.module)).sorted() } catch { throw ComposeFailure(error) }
    }

    /// Returns the state of a build that the reference names completely, if the build is not complete.
    /// Returns `nil` otherwise.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String? {
        guard let version = reference.version, let context = reference.context else { return nil }
        let id = NSVC(name: reference.name, stream: reference.stream, version: version, context: context)
        let answers: [Result<KojiBuild?, KojiError>]
        do throws(KojiError) { answers = try await hub.getBuilds([.name(id.kojiBuild)]) } catch { throw ComposeFailure(error) }
        guard case .success(let build?)? = answers.first, let state = build.state, state != .complete else { return nil }
        return "The module \(id) is the build \(build.nvr) in Koji, which is \(state.name.lowercased())."
    }

    /// Returns all modules of the tags: the newest version of each stream, in every context.
    public func newestBuilds() async throws(ComposeFailure) -> [ModuleBuild] {
        var found: [DescribedModule] = []
        do throws(KojiError) {
            var ids: [Int] = []
            for (stream, builds) in try await tagged() {
                let newest = builds.map(\.version).max()
                ids += builds.filter { stream.isAmbiguous || $0.version == newest }.map(\.buildID)
            }
            for modules in Dictionary(grouping: try await described(ids.sorted()), by: \.id.nameAndStream).values {
                let newest = modules.map(\.id.version).max()
                found += modules.filter { $0.id.version == newest }
            }
        } catch {
            throw ComposeFailure(error)
        }
        return try await Self.builds(of: found.sorted { $0.id < $1.id })
    }

    // MARK: Finding

    /// Returns the builds of the tags that the reference means. Without a version it means the newest one.
    private func meant(by reference: ModuleReference) async throws(KojiError) -> [DescribedModule] {
        let stream = TaggedModule.Stream(module: reference.name, name: TaggedModule.Stream.kojiName(of: reference.stream))
        let builds = try await tagged()[stream, default: []].filter {
            $0.version == reference.version ?? $0.version && $0.context == reference.context ?? $0.context
        }
        for version in Set(builds.map(\.version)).sorted(by: >) {
            let found = try await described(builds.filter { $0.version == version }.map(\.buildID)).filter { reference.includes($0.id) }
            if !found.isEmpty { return found }
        }
        return []
    }

    /// Returns the builds that the reference names exactly, in any tag or in none.
    private func anywhere(_ reference: ModuleReference) async throws(KojiError) -> [DescribedModule] {
        // A text with wildcards must not become a pattern that matches much of Koji.
        guard let version = reference.version, !reference.description.contains(where: "*?[]\\".contains) else { return [] }
        let start = "\(reference.name)-\(TaggedModule.Stream.kojiName(of: reference.stream))-\(version)."
        let names: [KojiName] =
            if let context = reference.context {
                [.name(start + context)]
            } else {
                try await hub.searchBuilds(start + "*").map { .id($0.id) }
            }
        var complete: [Int] = []
        for answer in try await hub.getBuilds(names) {
            switch answer {
            case .success(let build): if let build, build.state == .complete, !build.isDraft { complete.append(build.buildID) }
            // A text that cannot be the name of a build does not match one.
            case .failure(let error): if error.code != .fault || error.isTransient { throw error }
            }
        }
        return try await described(complete).filter { reference.includes($0.id) }
    }

    /// A build with the description of the module that it is.
    private struct DescribedModule {
        let id: NSVC
        let modulemd: String
        let contentTag: String
    }

    /// Returns the builds' descriptions of the modules that they are. Builds that are not modules are left
    /// out.
    private func described(_ ids: [Int]) async throws(KojiError) -> [DescribedModule] {
        let unknown = ids.filter { known[$0] == nil }
        for (id, answer) in zip(unknown, try await hub.getModules(unknown.map { .id($0) })) { known[id] = try answer.get() }
        return ids.compactMap { known[$0] }.compactMap { module in
            NSVC(module).map { DescribedModule(id: $0, modulemd: module.modulemd, contentTag: module.contentTag) }
        }
    }

    private static func builds(of modules: [DescribedModule]) async throws(ComposeFailure) -> [ModuleBuild] {
        var builds: [ModuleBuild] = []
        for module in modules {
            let document = KojiModuleDocument(of: module.id, build: module.id.kojiBuild, name: "modulemd_str")
            builds.append(ModuleBuild(stream: try await document.stream(in: module.modulemd, arch: nil), kojiTag: module.contentTag))
        }
        return builds
    }

    // MARK: Listing

    /// Returns, for each stream, the builds that count.
    private func tagged() async throws(KojiError) -> [TaggedModule.Stream: [TaggedModule]] {
        let task = listing ?? Task { try await list() }
        listing = task
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            listing = nil
            throw error as? KojiError ?? KojiError(.canceled, "The work was stopped before Koji had answered.")
        }
    }

    private func list() async throws(KojiError) -> [TaggedModule.Stream: [TaggedModule]] {
        var all: [TaggedModule.Stream: [TaggedModule]] = [:]
        for (name, tag) in zip(tags, try await hub.getTags(tags.map { .name($0) }, event: event)) {
            guard let tag else { throw await noTag(name) }
            let order = [tag.id] + (try await hub.getFullInheritance(.name(name), event: event)).map(\.parentID)
            let rank = Dictionary(zip(order, 0...), uniquingKeysWith: min)
            let listed = try await hub.listTagged(.name(name), event: event, inherit: true, type: "module").compactMap(TaggedModule.init)
            for (stream, builds) in Dictionary(grouping: listed, by: \.stream) where all[stream] == nil {
                let depth = { (build: TaggedModule) in build.tagID.flatMap { rank[$0] } ?? .max }
                let topmost = builds.map(depth).min()
                var seen: Set<Int> = []
                all[stream] = builds.filter { depth($0) == topmost && seen.insert($0.buildID).inserted }
            }
        }
        return all
    }

    private func noTag(_ name: String) async -> KojiError {
        do throws(KojiError) {
            return await hub.noTag(name, at: try await hub.getTag(.name(name)) == nil ? nil : event)
        } catch {
            return error
        }
    }
}

extension NSVC {
    /// Creates the id of a module. Returns `nil` if the version is not a number.
    init?(_ module: KojiModule) {
        guard let version = UInt64(module.version) else { return nil }
        self.init(name: module.name, stream: module.stream, version: version, context: module.context)
    }
}
