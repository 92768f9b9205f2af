public import ImageModel

/// The *rebuild planner* decides which images are built again to get the packages of a compose, and in
/// which order. It is a value: equal facts give equal plans.
public struct RebuildPlanner: Sendable {
    /// The packages of the compose that count.
    public var offered: OfferedPackages
    public var selection: RebuildSelection
    /// The images that are affected or unknown. Others need not be here.
    public var images: [KnownImage]
    /// The names of further images that this service builds and that these ones build on.
    public var ownRepositories: Set<ImageRepository>
    public var affected: AffectedImages
    /// The bases that are not of this service, by their references and platforms.
    public var foreign: [ImageReference: [Platform: ForeignBase]]

    public init(
        offered: OfferedPackages, selection: RebuildSelection = RebuildSelection(), images: [KnownImage],
        ownRepositories: Set<ImageRepository> = [], affected: AffectedImages,
        foreign: [ImageReference: [Platform: ForeignBase]] = [:]
    ) {
        self.offered = offered
        self.selection = selection
        self.images = images
        self.ownRepositories = ownRepositories
        self.affected = affected
        self.foreign = foreign
    }

    /// Returns the plan, with parents before their children.
    ///
    /// - Throws: ``RebuildProblem`` if images build on each other in a circle. It names them.
    public func plan() throws(RebuildProblem) -> RebuildPlan {
        let facts = PlanFacts(self)
        var rows: [Int: RebuildPlan.Row] = [:]
        var order: [Int] = []
        for image in try facts.graph.parentsFirst(named: { facts.images[$0]?.repository.path ?? "\($0)" }) {
            guard let known = facts.images[image] else { continue }
            rows[image] = row(of: known, facts, earlier: rows)
            order.append(image)
        }
        return RebuildPlan(rows: order.compactMap { rows[$0] })
    }

    private func row(of image: KnownImage, _ facts: PlanFacts, earlier rows: [Int: RebuildPlan.Row]) -> RebuildPlan.Row {
        let findings = facts.findings[image.id] ?? [:]
        var row = RebuildPlan.Row(
            image: image.id, decision: .build, reason: "",
            parents: (facts.graph.parents[image.id] ?? []).filter { rows[$0]?.decision == .build }.sorted(),
            findings: findings.keys.sorted().map { .init(platform: $0, findings: findings[$0] ?? []) })
        let unknown = facts.unknown[image.id] ?? [:]
        let notKnown = unknown.keys.sorted().map { platform in
            "the packages for \(platform) are not known: \(unknown[platform]?.flatMap(\.self) ?? "they were not read yet")"
        }
        if selection.leavesOut(image.repository) {
            row.decision = .excluded
            row.reason = "left out by the request"
        } else if findings.isEmpty {
            row.decision = selection.includesUnknown ? .build : .unknown
            row.reason = notKnown.joined(separator: "; ")
        } else {
            var (obstacles, origins) = ([String](), [String]())
            for platform in findings.keys.sorted() {
                for finding in findings[platform] ?? [] {
                    switch origin(of: finding, in: image, on: platform, facts, earlier: rows) {
                    case .rebuilt(let origin): origins.append(origin)
                    case .stays(let obstacle): obstacles.append(obstacle)
                    }
                }
            }
            if obstacles.isEmpty {
                row.reason = (origins.unique + notKnown).joined(separator: "; ")
            } else {
                row.decision = .cannotHelp
                row.reason = "cannot be fixed by rebuilding: " + obstacles.unique.joined(separator: "; ")
            }
        }
        if row.decision != .build { row.parents = [] }
        return row
    }

    /// The place that an older package comes from.
    private enum Origin {
        /// A rebuild replaces the package.
        case rebuilt(String)
        /// A rebuild gets the package from the same place again.
        case stays(String)
    }

    private func origin(
        of finding: AffectedImages.Finding, in image: KnownImage, on platform: Platform, _ facts: PlanFacts,
        earlier rows: [Int: RebuildPlan.Row]
    ) -> Origin {
        func stays(_ place: String, _ remedy: String = "set update: true to upgrade it there") -> Origin {
            image.upgrades ? .rebuilt("upgraded by it") : .stays("\(place); \(remedy)")
        }
        let base = image.base(on: platform)
        if let parent = facts.owner(of: base), let known = facts.images[parent] {
            let name = known.repository.path
            if parent == image.id { return stays("it builds on an earlier build of itself") }
            let isThere = facts.findings[parent]?[platform]?.contains { $0.installed.line == finding.installed.line } ?? false
            guard isThere else {
                let isUnknown = facts.unknown[parent]?.keys.contains(platform) ?? false
                return .rebuilt(
                    isUnknown
                        ? "installed by it, or comes with \(name), whose packages are not known"
                        : "installed by it, or by an earlier build of \(name)")
            }
            if case .image(let reference) = base, reference.digest != nil {
                return stays("comes with \(name), which its Containerfile names by digest")
            }
            switch rows[parent]?.decision {
            case .build: return .rebuilt("comes with \(name)")
            case .excluded: return stays("comes with \(name), which the request leaves out")
            default: return stays("comes with \(name), which cannot be fixed by rebuilding either")
            }
        }
        switch base {
        case .scratch: return .rebuilt("installed by it")
        case .own: return .rebuilt("installed by it, or by an earlier build of its base")
        case .unknown: return .rebuilt("installed by it, or comes with its base, which is not known")
        case .image(let reference):
            if facts.isOwn(reference) { return .rebuilt("installed by it, or by an earlier build of \(reference.repository.path)") }
            guard let known = foreign[reference]?[platform], let packages = known.packages else {
                return .rebuilt("installed by it, or comes with \(reference.familiarName), whose packages are not known")
            }
            guard let there = packages[finding.installed.line] else { return .rebuilt("installed by it") }
            guard there < finding.newest else { return .rebuilt("comes with \(reference.familiarName), which has a newer build now") }
            // The base had its older build before, and the image has a newer one than the base.
            guard finding.installed.evr <= there else { return .rebuilt("upgraded by it") }
            return stays("comes with \(reference.familiarName), whose newest (\(known.digest.shortened)) still has it")
        }
    }
}

extension ImageDigest {
    /// For example `sha256:5c6f8a0b1c2d`.
    fileprivate var shortened: String { String(description.prefix("sha256:".count + 12)) }
}

extension [String] {
    /// The texts without repetitions, in the same order.
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
