import CSolv

/// The files that packages provide, because some package depends on their paths.
///
/// libsolv looks at the dependencies and the files of all packages for that. A pool that follows its
/// repositories remembers what was found. As long as its packages depend on the same paths, libsolv
/// looks at new packages only.
///
/// Example: packages require `/bin/sh` and `/usr/bin/perl`. Ten packages of the next revision are
/// new, and no other path is required. libsolv searches the files of these ten.
struct ProvidedFiles {
    /// The packages whose dependencies are known, and those of them that depend on paths.
    private var known = SolvableSet(capacity: 0)
    private var dependents: [(package: Id, paths: [Id])] = []
    /// The paths for which packages were searched, and these packages.
    private var paths: Set<Id> = []
    private var searched = SolvableSet(capacity: 0)
    /// The lists of all that searched packages provide, if they have any of the files.
    private var provides: [(package: Id, list: [Id])] = []

    /// Adds the files to the provides of these packages. No other part of `pool` must be there.
    mutating func add(to packages: [Id], of pool: PackagePool) {
        known.extend(to: pool.capacity)
        learn(packages.filter { !known.contains($0) }, of: pool)
        var wanted: Set<Id> = []
        for (package, paths) in dependents where pool.solvable(package).pointee.repo != nil { wanted.formUnion(paths) }
        if wanted != paths { (paths, searched, provides) = (wanted, SolvableSet(capacity: 0), []) }
        searched.extend(to: pool.capacity)
        for (package, list) in provides {
            let solvable = pool.solvable(package)
            guard let repository = solvable.pointee.repo else { continue }
            solvable.pointee.provides = list.reduce(0) { repo_addid(repository, $0, $1) }
        }
        search(packages.filter { !searched.contains($0) }, among: packages, of: pool)
    }

    /// Searches the files of `new` packages for ``paths``, and adds those that were found.
    private mutating func search(_ new: [Id], among packages: [Id], of pool: PackagePool) {
        let others = packages.filter(searched.contains)
        for package in new { searched.insert(package) }
        guard let first = new.first, !paths.isEmpty else { return }
        let repositories = others.map { pool.solvable($0).pointee.repo }
        for package in others { pool.solvable(package).pointee.repo = nil }
        let own = new.map { pool.solvable($0).pointee.provides }
        // libsolv searches for the paths on which the packages depend that it sees.
        let (solvable, suggests) = (pool.solvable(first), pool.solvable(first).pointee.suggests)
        solvable.pointee.suggests = paths.sorted().reduce(0) { repo_addid(solvable.pointee.repo, $0, $1) }
        pool_addfileprovides(pool.pool)
        solvable.pointee.suggests = suggests
        for (package, repository) in zip(others, repositories) { pool.solvable(package).pointee.repo = repository }
        for (package, own) in zip(new, own) {
            let found = pool.solvable(package).pointee.provides
            if found != own { provides.append((package, pool.dependencies(package, at: found))) }
        }
    }

    /// Takes the paths on which packages depend.
    private mutating func learn(_ packages: [Id], of pool: PackagePool) {
        let texts = pool.pool.pointee.ss.nstrings
        var others = SolvableSet(capacity: Int(texts + pool.pool.pointee.nrels))
        for package in packages {
            known.insert(package)
            let s = pool.solvable(package).pointee
            var paths: [Id] = []
            func add(_ list: Offset) {
                guard list != 0, var next = s.repo.pointee.idarraydata.map({ $0 + Int(list) }) else { return }
                while next.pointee != 0 {
                    // Packages have many dependencies in common.
                    let number = next.pointee > 0 ? next.pointee : texts + next.pointee & Id.max
                    if !others.contains(number) {
                        let count = paths.count
                        pool.addPaths(of: next.pointee, to: &paths)
                        if paths.count == count { others.insert(number) }
                    }
                    next += 1
                }
            }
            add(s.obsoletes)
            add(s.conflicts)
            add(s.requires)
            add(s.recommends)
            add(s.suggests)
            add(s.supplements)
            add(s.enhances)
            if !paths.isEmpty { dependents.append((package, paths)) }
        }
    }
}

extension PackagePool {
    /// Appends the paths in a dependency for which `pool_addfileprovides` searches.
    fileprivate func addPaths(of dependency: Id, to paths: inout [Id]) {
        guard dependency < 0 else {
            if pool_id2str(pool, dependency)[0] == CChar(UInt8(ascii: "/")) { paths.append(dependency) }
            return
        }
        let relation = relation(dependency)
        switch relation.flags {
        case ..<8: addPaths(of: relation.name, to: &paths)
        case REL_NAMESPACE: if relation.name != Id(NAMESPACE_SPLITPROVIDES.rawValue) { addPaths(of: relation.evr, to: &paths) }
        case REL_FILECONFLICT: break
        default:
            addPaths(of: relation.name, to: &paths)
            addPaths(of: relation.evr, to: &paths)
        }
    }
}
