import CSolv
import Modules
import Repodata

/// The packages of a pool that belong to builds of modules. It also finds the packages that are hidden
/// while some of these builds are active.
struct ModularPackages {
    private let pool: PackagePool
    private let builds: [ModularBuild]
    /// The builds that a package is part of, as indices, the newest first.
    private var owners: [Id: [Int]] = [:]
    /// The packages of each build.
    private var members: [[Id]]
    /// Packages that were built for a module and are not part of it.
    private var filtered: Set<Id> = []
    /// The names of the binary packages of each build, including packages that are not in the pool.
    private var names: [Set<Id>] = []
    /// The names that each build declares as demodularized: no package of its stream has them any more.
    private var demodularized: [Set<Id>] = []

    private struct Key: Hashable {
        let name: Id
        let evr: Id
        let arch: Id
    }

    /// Finds the packages of `builds` among the packages that `pool` shows at the moment.
    init(of builds: [ModularBuild], in pool: PackagePool) {
        self.pool = pool
        self.builds = builds
        members = Array(repeating: [], count: builds.count)
        var wanted: [Key: [Int]] = [:]
        var unwanted: Set<Key> = []
        for (index, build) in builds.enumerated() {
            let binaries = Set(build.packages.lazy.filter { $0.arch != "src" && $0.arch != "nosrc" }.map(\.name))
            names.append(Set(binaries.compactMap(pool.existingID)))
            demodularized.append(Set(build.demodularized.compactMap(pool.existingID)))
            for package in build.packages { Self.key(package, in: pool).map { wanted[$0, default: []].append(index) } }
            for package in build.filtered { Self.key(package, in: pool).map { _ = unwanted.insert($0) } }
        }
        // Source packages are included with the packages that are built from them. Modules do not hide them.
        for package in pool.packages(ofLookaside: true) + pool.packages() where !pool.isSource(package) {
            let solvable = pool.solvable(package).pointee
            let key = Key(name: solvable.name, evr: solvable.evr, arch: solvable.arch)
            if let found = wanted[key] {
                owners[package] = found.sorted { builds[$1].id < builds[$0].id }
                for build in found { members[build].append(package) }
            } else if unwanted.contains(key) {
                filtered.insert(package)
            }
        }
    }

    private static func key(_ package: NEVRA, in pool: PackagePool) -> Key? {
        let version = "\(package.version)-\(package.release)"
        guard let name = pool.existingID(package.name), let arch = pool.existingID(package.arch),
            let evr = pool.existingID(package.epoch == 0 ? version : "\(package.epoch):\(version)")
        else { return nil }
        return Key(name: name, evr: evr, arch: arch)
    }

    /// Returns the packages of a build, including packages of lookasides.
    func packages(of build: Int) -> [Id] { members[build] }

    /// Returns the builds that a package is part of, the newest first. Returns an empty list for a bare
    /// package, that is, a package of no module.
    func builds(of package: Id) -> [Int] { owners[package] ?? [] }

    /// Returns the packages that machines do not see while these builds are active. The rule is dnf's.
    ///
    /// Packages of other builds are hidden, and packages that were filtered out of a build. Any other
    /// package is hidden if it has or provides the name of a package of an active build. Packages of the
    /// active builds themselves are never hidden for that reason.
    func hidden(whereActive active: Set<Int>) -> SolvableSet {
        var hidden = pool.emptySet()
        func isShown(_ package: Id) -> Bool { owners[package]?.contains(where: active.contains) ?? false }
        for package in owners.keys where !isShown(package) { hidden.insert(package) }
        for package in filtered { hidden.insert(package) }
        for name in names(whereActive: active) {
            for package in pool.providers(name) where package > SYSTEMSOLVABLE && !isShown(package) { hidden.insert(package) }
        }
        return hidden
    }

    /// Returns the active builds that hide a bare package, each with the names of their packages that the
    /// bare package has or provides.
    func hiders(of package: Id, whereActive active: Set<Int>) -> [(build: Int, names: [String])] {
        active.sorted().compactMap { build in
            let names = names(whereActive: [build]).filter { pool.providers($0).contains(package) }
            return names.isEmpty ? nil : (build, names.map { pool.text($0) }.sorted())
        }
    }

    /// Returns the names of packages of active builds. Bare packages that have or provide these names are
    /// hidden.
    private func names(whereActive active: Set<Int>) -> Set<Id> {
        var newest: [String: Int] = [:]
        for build in active {
            let lineage = builds[build].lineage
            if newest[lineage].map({ builds[$0].id < builds[build].id }) ?? true { newest[lineage] = build }
        }
        // If the newest active build of a lineage declares a name as demodularized, the name counts for no
        // build of its stream.
        let bare = newest.values.filter { !demodularized[$0].isEmpty }.reduce(into: [String: Set<Id>]()) {
            $0[builds[$1].id.nameAndStream, default: []].formUnion(demodularized[$1])
        }
        return active.reduce(into: []) { found, build in
            found.formUnion(bare[builds[build].id.nameAndStream].map(names[build].subtracting) ?? names[build])
        }
    }
}
