import ForeignText
import Koji
import Repodata

/// The packages of a tag or of builds, collected row by row from the hub's answer.
struct KojiContent: Sendable {
    var builds: [Int: KojiBuild] = [:]
    /// The packages, in the order in which they were added.
    private(set) var listed: [KojiRPM] = []
    /// The keys of the signatures of each package, by its number.
    var keys: [Int: [String]] = [:]
    /// The index of each package in `listed`, by the package's number.
    private var positions: [Int: Int] = [:]

    /// Adds a package. The hub sends one row for each of its signatures.
    mutating func add(_ rpm: KojiRPM) {
        guard !rpm.isMetadataOnly, rpm.externalRepoID == 0 else { return }
        put(rpm)
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
        keep { !removed.contains($0.buildID) }
    }

    mutating func merge(_ other: KojiContent) {
        builds.merge(other.builds) { $1 }
        keys.merge(other.keys) { $1 }
        for rpm in other.listed { put(rpm) }
    }

    /// Returns the content with only the packages of these numbers.
    func keeping(_ ids: Set<Int>) -> KojiContent {
        var kept = self
        kept.keep { ids.contains($0.id) }
        return kept
    }

    private mutating func put(_ rpm: KojiRPM) {
        if let known = positions[rpm.id] {
            listed[known] = rpm
        } else {
            positions[rpm.id] = listed.count
            listed.append(rpm)
        }
    }

    private mutating func keep(_ isKept: (KojiRPM) -> Bool) {
        listed = listed.filter(isKept)
        positions = Dictionary(uniqueKeysWithValues: zip(listed.map(\.id), listed.indices))
    }

    /// The packages, in no particular order. Packages whose build is not known are left out. Packages whose
    /// files cannot have names are also left out, and a sentence reports each of them.
    var packages: (all: [KojiPackage], notes: [String]) {
        let places = builds.mapValues { build in
            (
                nvr: build.nvr, tag: build.tagID.map { KojiPackage.Tag(id: $0, name: build.tagName ?? "") },
                place: Result { () throws(PathComponent.Problem) in
                    try KojiPackage.Place.build(
                        name: build.name, version: build.version, release: build.release, volume: build.volumeName)
                }
            )
        }
        var all: [KojiPackage] = []
        all.reserveCapacity(listed.count)
        var notes: [String] = []
        for rpm in listed {
            guard let (nvr, tag, place) = places[rpm.buildID] else { continue }
            do throws(PathComponent.Problem) {
                all.append(
                    try KojiPackage(
                        id: rpm.id, nevra: rpm.nevra, build: nvr, tag: tag, place: try place.get(),
                        payloadHash: rpm.payloadHash?.description, size: rpm.size, keys: keys[rpm.id] ?? []))
            } catch {
                notes.append(
                    "The package \(rpm.nevra.description.quoted) of the build \(nvr.quoted) in Koji is left out: one of its names \(error.reason)."
                )
            }
        }
        return (all, notes.sorted())
    }
}

extension KojiRPM {
    var nevra: NEVRA { NEVRA(name: name, epoch: epoch ?? 0, version: version, release: release, arch: arch) }
}
