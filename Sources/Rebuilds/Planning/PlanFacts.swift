import ImageModel

/// The *plan facts* are the facts of a planner in the form in which its decisions need them.
struct PlanFacts {
    let images: [Int: KnownImage]
    /// The older packages of each image on each platform, as far as the compose offers newer ones there.
    let findings: [Int: [Platform: [AffectedImages.Finding]]]
    /// The images whose contents are not known on a platform, with the problem of the reading.
    let unknown: [Int: [Platform: String?]]
    let graph: ParentGraph
    private let ids: [ImageRepository: Int]
    private let own: Set<ImageRepository>

    init(_ planner: RebuildPlanner) {
        let images = Dictionary(planner.images.map { ($0.id, $0) }) { first, _ in first }
        var newest: [Platform: [PackageLine: EVR]] = [:]
        var findings: [Int: [Platform: [AffectedImages.Finding]]] = [:]
        for affected in planner.affected.affected where images[affected.image] != nil {
            let offered = newest[affected.platform] ?? planner.offered.newest(for: affected.platform)
            newest[affected.platform] = offered
            let older = affected.findings.compactMap { finding in
                offered[finding.installed.line].flatMap { newest in
                    finding.installed.evr < newest ? AffectedImages.Finding(installed: finding.installed, newest: newest) : nil
                }
            }
            if !older.isEmpty { findings[affected.image, default: [:]][affected.platform] = older }
        }
        var unknown: [Int: [Platform: String?]] = [:]
        for image in planner.affected.unknown { unknown[image.image, default: [:]][image.platform] = .some(image.problem) }

        let ids = Dictionary(
            planner.images.lazy.filter(\.isAloneInRepository).map { ($0.repository, $0.id) }
        ) { first, _ in first }
        var parents: [Int: Set<Int>] = [:]
        for image in planner.images where findings[image.id] != nil || unknown[image.id] != nil {
            // An image that is not built needs no parent. So a circle is broken by leaving an image out.
            let isBuilt = (findings[image.id] != nil || planner.selection.includesUnknown) && !planner.selection.leavesOut(image.repository)
            guard isBuilt else {
                parents[image.id] = []
                continue
            }
            var named = Set(image.others.compactMap { ids[$0.repository] })
            for base in image.bases.values {
                switch base {
                case .image(let reference): if let id = ids[reference.repository] { named.insert(id) }
                case .own(let id): named.insert(id)
                case .scratch, .unknown: break
                }
            }
            parents[image.id] = named.filter { $0 != image.id && (findings[$0] != nil || unknown[$0] != nil) }
        }
        self.images = images
        self.findings = findings
        self.unknown = unknown
        self.ids = ids
        own = planner.ownRepositories
        graph = ParentGraph(parents: parents, order: planner.images.map(\.id))
    }

    /// The image of this service that a base is, if the planner considers it.
    func owner(of base: KnownImage.Base) -> Int? {
        switch base {
        case .image(let reference): ids[reference.repository]
        case .own(let id): id
        case .scratch, .unknown: nil
        }
    }

    /// Whether this service builds the image, although the planner does not consider it.
    func isOwn(_ reference: ImageReference) -> Bool { own.contains(reference.repository) }
}
