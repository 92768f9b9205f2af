/// Finds all modules that the requested modules need, directly or indirectly.
///
/// It works in rounds. It looks up all modules that the modules of one round need and that are not
/// chosen yet. These make up the next round.
///
/// Several modules may need the same stream, built for different generations of the base. The newest
/// version that suits all of them is used. If a module appears late and the chosen version does not
/// suit it, the resolution starts again, with this need known from the beginning.
struct ModuleResolution {
    private typealias Chosen = ModuleChoice.Chosen

    private let rules: ModuleChoice.Rules
    private var lookups: ModuleLookups
    /// The needs for each stream, by `NAME:STREAM`, in the order in which they appeared. Modules that
    /// accept the same builds share one need. Needs are never removed.
    private var needs: [String: [Need]] = [:]

    private struct Need {
        let filter: ModuleBuildFilter
        let chain: [String]
    }

    /// The chosen version of a stream does not suit all modules that need it, so the resolution must start
    /// again.
    private struct Anew: Error {}

    init(of catalog: any ModuleCatalog, rules: ModuleChoice.Rules) {
        self.rules = rules
        lookups = ModuleLookups(catalog)
    }

    mutating func modules(of references: [ModuleReference]) async throws -> [ModuleChoice.Chosen] {
        let requested = try await requested(references)
        while !rules.noDependencies {
            do {
                return try await complete(requested).modules
            } catch is Anew {
                continue
            }
        }
        return requested.modules
    }

    private mutating func requested(_ references: [ModuleReference]) async throws -> ChosenModules {
        try await lookups.builds(of: references.map { ($0, rules.filter) })
        var chosen = ChosenModules()
        for reference in references {
            let found = try await lookups.builds(of: reference, filter: rules.filter)
            guard !found.isEmpty else {
                throw try await ModuleAbsence(catalog: lookups.catalog, filter: rules.filter).failure(reference)
            }
            for build in found { _ = try chosen.take(build, chain: [reference.description]) }
        }
        return chosen
    }

    /// Returns the builds of `requested` and of all modules that they need. Throws ``Anew`` if the
    /// resolution must start again.
    private mutating func complete(_ requested: ChosenModules) async throws -> ChosenModules {
        var chosen = requested
        var round = requested.modules
        // Requirements that accept any stream are decided last, when the streams for all other requirements
        // are known.
        var undecided: [(StreamRequirement, by: Chosen)] = []
        var unmet: [Chosen] = []
        while !round.isEmpty {
            try await lookUp(round, besides: requested)
            var next: [Chosen] = []
            for asking in round.sorted(by: { $0.build.id < $1.build.id }) {
                let alternatives = alternatives(of: asking)
                var possible: [[StreamRequirement]] = []
                for alternative in alternatives {
                    if try await canBeMet(alternative, of: asking, by: chosen) { possible.append(alternative) }
                }
                if possible.isEmpty, !alternatives.isEmpty { unmet.append(asking) }
                for requirement in possible.joined() {
                    if requirement.streams.isEmpty { undecided.append((requirement, asking)) }
                    for stream in requirement.accepted {
                        next += try await take(requirement.module, stream, for: asking, into: &chosen, besides: requested)
                    }
                }
            }
            while next.isEmpty, !undecided.isEmpty {
                let (requirement, asking) = undecided.removeFirst()
                if chosen.meet(requirement) { continue }
                if let latest = try await latest(requirement, for: asking) {
                    next = try await take(requirement.module, latest, for: asking, into: &chosen, besides: requested)
                } else {
                    unmet.append(asking)
                }
            }
            round = next
        }
        // A requirement that could not be met at first may have been met by a module chosen later.
        for asking in unmet where !alternatives(of: asking).contains(where: { $0.allSatisfy(chosen.meet) }) {
            throw try await failure(of: asking, with: chosen)
        }
        return chosen
    }

    /// Chooses the builds of a stream that suit all modules that need it, `asking` among them. Returns the
    /// builds that were not chosen before.
    ///
    /// A requested stream keeps its version, even for the other modules that need it. Throws ``Anew`` if
    /// another version of the stream has already been chosen.
    private mutating func take(
        _ module: String, _ stream: String, for asking: Chosen, into chosen: inout ChosenModules, besides requested: ChosenModules
    ) async throws -> [Chosen] {
        let reference = ModuleReference(name: module, stream: stream)
        let name = reference.description
        let need = Need(filter: filter(forRequirementsOf: asking.build), chain: asking.chain + [name])
        guard requested.version(of: name) == nil, try await !lookups.builds(of: reference, filter: need.filter).isEmpty else { return [] }
        if !needs[name, default: []].contains(where: { $0.filter == need.filter }) { needs[name, default: []].append(need) }
        let builds = try await builds(of: reference)
        guard let version = builds.first?.id.version, version == chosen.version(of: name) ?? version else { throw Anew() }
        return try builds.compactMap { try chosen.take($0, chain: need.chain) }
    }

    /// Returns the builds of the newest version of a stream that suits all modules that need it.
    private mutating func builds(of stream: ModuleReference) async throws -> [ModuleBuild] {
        var newest: [(need: Need, version: UInt64)] = []
        for need in needs[stream.description] ?? [] {
            if let version = try await lookups.builds(of: stream, filter: need.filter).first?.id.version { newest.append((need, version)) }
        }
        search: for version in Set(newest.map(\.version)).sorted(by: >) {
            // Several catalogs may know the same build, with different information about it.
            var found: [NSVC: ModuleBuild] = [:]
            for (need, itsNewest) in newest {
                let exactly = ModuleReference(name: stream.name, stream: stream.stream, version: version)
                let builds = try await lookups.builds(of: version == itsNewest ? stream : exactly, filter: need.filter)
                if builds.isEmpty { continue search }
                for build in builds { found[build.id] = found[build.id] ?? build }
            }
            return found.values.sorted { $0.id < $1.id }
        }
        guard let first = newest.first, let other = newest.first(where: { $0.version != first.version }) else { return [] }
        throw ModuleChoiceError.twoVersions(of: stream.description, (first.version, first.need.chain), (other.version, other.need.chain))
    }

    /// Returns the most recently built stream that the requirement accepts, or `nil` if no such stream has
    /// builds.
    private mutating func latest(_ requirement: StreamRequirement, for asking: Chosen) async throws -> String? {
        let filter = filter(forRequirementsOf: asking.build)
        let streams = try await lookups.streams(of: requirement.module, filter: filter).filter(requirement.accepts)
        try await lookups.builds(of: streams.map { (ModuleReference(name: requirement.module, stream: $0), filter) })
        var latest: NSVC?
        for stream in streams {
            let build = try await lookups.builds(of: ModuleReference(name: requirement.module, stream: stream), filter: filter).first
            if let build, latest.map({ $0.version < build.id.version }) ?? true { latest = build.id }
        }
        return latest?.stream
    }

    /// Returns the error for the first requirement of `asking` that cannot be met.
    private mutating func failure(of asking: Chosen, with chosen: ChosenModules) async throws -> any Error {
        var missing: StreamRequirement?
        for requirement in alternatives(of: asking).joined() where !chosen.meet(requirement) {
            missing = missing ?? requirement
            if try await !canBeMet([requirement], of: asking, by: chosen) {
                missing = requirement
                break
            }
        }
        guard let missing else {
            return ModuleChoiceError(.internal, "The module \(asking.build.id) has all that it depends on.")
        }
        return try await ModuleAbsence(catalog: lookups.catalog, filter: filter(forRequirementsOf: asking.build)).failure(
            missing, by: asking)
    }

    // MARK: Requirements

    /// Returns the alternatives of a module without base modules and without duplicates.
    private func alternatives(of asking: Chosen) -> [[StreamRequirement]] {
        var seen: Set<[StreamRequirement]> = []
        return asking.build.stream.requirements.map { $0.filter { !rules.baseModules.contains($0.module) } }.filter {
            seen.insert($0).inserted
        }
    }

    private mutating func canBeMet(_ alternative: [StreamRequirement], of asking: Chosen, by chosen: ChosenModules) async throws -> Bool {
        let filter = filter(forRequirementsOf: asking.build)
        each: for requirement in alternative where !chosen.meet(requirement) {
            if requirement.streams.isEmpty {
                if try await lookups.streams(of: requirement.module, filter: filter).contains(where: requirement.accepts) { continue each }
            }
            for stream in requirement.accepted {
                let reference = ModuleReference(name: requirement.module, stream: stream)
                if try await !lookups.builds(of: reference, filter: filter).isEmpty { continue each }
            }
            return false
        }
        return true
    }

    /// Looks up all streams that the modules of a round name, several at the same time.
    private mutating func lookUp(_ round: [Chosen], besides requested: ChosenModules) async throws {
        try await lookups.builds(
            of: round.flatMap { asking in
                let filter = filter(forRequirementsOf: asking.build)
                return alternatives(of: asking).joined().flatMap { requirement in
                    requirement.accepted.map { ModuleReference(name: requirement.module, stream: $0) }
                }
                .filter { requested.version(of: $0.description) == nil }.map { ($0, filter) }
            })
    }

    /// Returns the filter for the modules that `build` needs. They must have been built for the same
    /// generation of the base, or for an earlier one of the same major version. For example, a module for
    /// `el8.3.0` can use modules for `el8.2.0`, but not those for `el8.4.0` or `el7.9.0`. If no base of the
    /// build has a number, the filter of the rules applies.
    private func filter(forRequirementsOf build: ModuleBuild) -> ModuleBuildFilter {
        let numbered = build.bases.filter { $0.streamVersion != nil }
        guard let base = numbered.first(where: { rules.baseModules.contains($0.name) }) ?? numbered.first, let version = base.streamVersion
        else {
            return rules.filter
        }
        var filter = ModuleBuildFilter()
        filter.includesDone = rules.filter.includesDone
        filter.baseModules = rules.baseModules
        filter.baseName = base.name
        filter.baseStreamVersionAtMost = version
        filter.baseStreamVersionAtLeast = base.firstOfMajorVersion
        return filter
    }
}

extension StreamRequirement {
    /// The streams that the requirement names and does not exclude. Empty if it accepts any stream.
    fileprivate var accepted: [String] { streams.filter(accepts).sorted() }
}

extension ModuleBuild.Base {
    /// The number of the first stream of the same major version. Example: 80000 for `el8.3.0`, whose number
    /// is 80300. `nil` if the number does not begin with the first number in the name.
    fileprivate var firstOfMajorVersion: Double? {
        let major = stream.drop { !$0.isASCII || !$0.isNumber }.prefix { $0.isASCII && $0.isNumber }
        guard let streamVersion, streamVersion >= 0, streamVersion < 1e15 else { return nil }
        let digits = String(Int(streamVersion))
        guard !major.isEmpty, digits.hasPrefix(major) else { return nil }
        return Double(major + String(repeating: "0", count: digits.count - major.count))
    }
}
