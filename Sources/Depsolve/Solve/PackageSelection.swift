import CSolv
import ForeignText
import Repodata

/// A search for the packages of one tree that a request names.
struct PackageSelection {
    let pool: PackagePool
    /// Whether only hidden packages count. Otherwise only visible packages count.
    var amongHidden = false

    /// The meaning of a pattern for the tree.
    enum Match {
        /// These packages match, with the best version of each name.
        case packages([(id: Id, reason: Reason)])
        /// No package of the tree matches, but these packages of other architectures do.
        case otherArchitecture([Id])
        /// No package is meant, because the pattern names another architecture itself. Example: `glibc.s390x`
        /// for the tree of `x86_64`.
        case notMeant
        /// No package matches at all.
        case unknown
    }

    func match(_ pattern: PackagePattern) -> Match {
        for reading in pattern.readings {
            let everywhere = packages(reading)
            if everywhere.isEmpty { continue }
            let here = everywhere.filter { reading.arch == nil ? pool.isNative($0) : pool.archScore($0) != nil }
            if here.isEmpty { return reading.arch == nil ? .otherArchitecture(everywhere) : .notMeant }
            return .packages(bestOfEachName(here).map { ($0, .requested(by: pattern.text)) })
        }
        return matchSource(pattern)
    }

    /// Returns the packages of any architecture that match `reading`.
    private func packages(_ reading: PackagePattern.Reading) -> [Id] {
        let candidates: [Id] =
            if reading.name.isPattern {
                pool.index.names.filter { reading.name.matches($0.text) }.flatMap { pool.index.named($0.id) }
            } else {
                pool.existingID(reading.name.text).map { Array(pool.index.named($0)) } ?? []
            }
        return candidates.filter { package in
            guard isCounted(package) else { return false }
            if let arch = reading.arch, arch != pool.arch(package) { return false }
            guard let version = reading.version else { return true }
            let nevra = pool.nevra(package)
            return version.matches(nevra.version) && (reading.release?.matches(nevra.release) ?? true)
                && (reading.epoch.map { $0 == nevra.epoch } ?? true)
        }
    }

    private func isCounted(_ package: Id) -> Bool { pool.isShown(package) != amongHidden }

    /// Returns the packages that are built from a source package of that name, from its best version.
    private func matchSource(_ pattern: PackagePattern) -> Match {
        let glob = Glob(pattern.text)
        let names =
            glob.isPattern
            ? pool.builds.keys.filter { glob.matches($0.text) }.sorted() : [ByteText(pattern.text)].filter { pool.builds[$0] != nil }
        var elsewhere: [Id] = []
        var selected: [(Id, Reason)] = []
        for name in names {
            let all = pool.builds[name]!.filter(isCounted)
            let built = all.filter(pool.isNative)
            let best = Dictionary(grouping: built) { ByteText(pool.sourceRPM($0)!) }
                .max { sourceNEVRA($0.key.text, $0.value) < sourceNEVRA($1.key.text, $1.value) }
            if let best {
                selected += bestOfEachName(best.value).map { ($0, .builtFrom(source: name.text, pattern: pattern.text)) }
            } else {
                elsewhere += all
            }
        }
        return !selected.isEmpty ? .packages(selected) : elsewhere.isEmpty ? .unknown : .otherArchitecture(elsewhere)
    }

    /// Returns the NEVRA of a source package. File names do not include the epoch, so it comes from the
    /// source package itself. Without a source package, it comes from the packages that are built from it.
    private func sourceNEVRA(_ fileName: String, _ built: [Id]) -> NEVRA {
        if let source = pool.index.sources(fileName: fileName).first { return pool.nevra(source) }
        let epoch = built.map { pool.nevra($0) }.min()?.epoch ?? 0
        guard let name = NEVRA(fileName) else { return NEVRA(name: fileName, epoch: epoch, version: "", release: "", arch: "src") }
        return NEVRA(name: name.name, epoch: epoch, version: name.version, release: name.release, arch: "src")
    }

    /// Returns for each name the package with the best version. Of equal versions, the better architecture
    /// wins, and then the preferred repository.
    private func bestOfEachName(_ packages: [Id]) -> [Id] {
        var best: [Id: Id] = [:]
        var order: [Id] = []
        for package in packages {
            let name = pool.solvable(package).pointee.name
            guard let other = best[name] else {
                best[name] = package
                order.append(name)
                continue
            }
            let comparison = pool.compareEVR(package, other)
            if comparison > 0 || comparison == 0 && isBetterArchitecture(package, other) { best[name] = package }
        }
        return order.map { best[$0]! }
    }

    private func isBetterArchitecture(_ a: Id, _ b: Id) -> Bool {
        // The score 1 is that of noarch. The native architectures of a machine are better.
        let (a, b) = (pool.archScore(a) ?? .max, pool.archScore(b) ?? .max)
        return a != 1 && (b == 1 || a < b)
    }
}
