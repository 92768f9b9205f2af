import Koji
import Repodata

/// The packages of a tag or of builds, as they come from the hub row by row.
struct KojiContent: Sendable {
    var builds: [Int: KojiBuild] = [:]
    private(set) var rpms: [Int: KojiRPM] = [:]
    /// The keys of the signatures of each package, by its number.
    var keys: [Int: [String]] = [:]
    private var order: [Int] = []

    /// A package has a row for each of its signatures.
    mutating func add(_ rpm: KojiRPM) {
        guard !rpm.isMetadataOnly, rpm.externalRepoID == 0 else { return }
        if rpms.updateValue(rpm, forKey: rpm.id) == nil { order.append(rpm.id) }
        if let key = rpm.sigkey, !key.isEmpty { keys[rpm.id, default: []].append(key) }
    }

    mutating func add(_ row: TaggedRow) {
        switch row {
        case .rpm(let rpm): add(rpm)
        case .build(let build): builds[build.buildID] = build
        }
    }

    mutating func remove(buildsNamed names: Set<String>) {
        guard !names.isEmpty else { return }
        let removed = Set(builds.values.filter { names.contains($0.name) }.map(\.buildID))
        builds = builds.filter { !removed.contains($0.key) }
        order.removeAll { rpms[$0].map { removed.contains($0.buildID) } ?? true }
    }

    mutating func merge(_ other: KojiContent) {
        builds.merge(other.builds) { $1 }
        rpms.merge(other.rpms) { $1 }
        keys.merge(other.keys) { $1 }
        let known = Set(order)
        order += other.order.filter { !known.contains($0) }
    }

    /// The packages with these numbers alone.
    func keeping(_ ids: Set<Int>) -> KojiContent {
        var kept = self
        kept.order.removeAll { !ids.contains($0) }
        return kept
    }

    /// The packages, in the order of the hub.
    var listed: [KojiRPM] { order.compactMap { rpms[$0] } }

    /// In the order of the hub; those whose build is not known are left out.
    var packages: [KojiPackage] {
        order.compactMap { id in
            guard let rpm = rpms[id], let build = builds[rpm.buildID] else { return nil }
            return KojiPackage(
                id: rpm.id, nevra: rpm.nevra, build: build.nvr,
                place: .build(name: build.name, version: build.version, release: build.release, volume: build.volumeName),
                payloadHash: rpm.payloadHash?.description, size: rpm.size, keys: keys[id] ?? [])
        }
    }
}

extension KojiRPM {
    var nevra: NEVRA { NEVRA(name: name, epoch: epoch ?? 0, version: version, release: release, arch: arch) }
}
