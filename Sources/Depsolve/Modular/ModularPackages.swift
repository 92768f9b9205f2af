import CSolv
import Modules
import Repodata

/// Which packages of a pool belong to builds of modules, and which are hidden where some of these builds are active.
struct ModularPackages {
    private let pool: PackagePool
    private let builds: [ModularBuild]
    /// The builds that a package is part of, the newest first.
    private var owners: [Id: [Int]] = [:]
    /// By build.
    private var members: [[Id]]
    /// Packages that were built for a module and are not part of it.
    private var filtered: Set<Id> = []
    /// By build the names of its binary packages, also of those that are not here.
    private var names: [Set<Id>] = []
    /// By build the names that it says are of no package of its stream any more.
    private var demodularized: [Set<Id>] = []

    private struct Key: Hashable {
        let name: Id
        let evr: Id
        let arch: Id
    }

    /// Of the packages that `pool` shows at the moment.
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
        // Source packages are there with what is built from them, whatever modules hide.
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

    /// The packages of a build, those of lookasides among them.
    func packages(of build: Int) -> [Id] { members[build] }

    /// The builds that a package is part of, the newest first; none for a bare package.
    func builds(of package: Id) -> [Int] { owners[package] ?? [] }

    /// What machines do not see on which these builds are active: packages of other builds, and whatever has, or provides, a name of a package of an
    /// active build without being such a package itself (dnf's rule).
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

    /// The active builds because of whose packages' names a bare package is hidden, and these names.
    func hiders(of package: Id, whereActive active: Set<Int>) -> [(build: Int, names: [String])] {
        active.sorted().compactMap { build in
            let names = names(whereActive: [build]).filter { pool.providers($0).contains(package) }
            return names.isEmpty ? nil : (build, names.map { pool.text($0) }.sorted())
        }
    }

    /// The names of active builds' packages that bare packages give way to.
    private func names(whereActive active: Set<Int>) -> Set<Id> {
        var newest: [String: Int] = [:]
        for build in active {
            let lineage = builds[build].lineage
            if newest[lineage].map({ builds[$0].id < builds[build].id }) ?? true { newest[lineage] = build }
        }
        // Names of which a stream's newest build says that they are none of its any more count for none of its builds.
        let bare = newest.values.filter { !demodularized[$0].isEmpty }.reduce(into: [String: Set<Id>]()) {
            $0[builds[$1].id.nameAndStream, default: []].formUnion(demodularized[$1])
        }
        return active.reduce(into: []) { found, build in
            found.formUnion(bare[builds[build].id.nameAndStream].map(names[build].subtracting) ?? names[build])
        }
    }
}
