import CSolv
import Glibc

/// Says what comes nearest to a dependency that nothing provides: the same thing in another version.
struct NearestProviders {
    let pool: PackagePool

    /// `libfoo-1.2-1.x86_64 provides libfoo = 1.2`, at most three, the best versions first.
    func nearest(to dependency: Id) -> [String] {
        var found: [String] = []
        for leaf in RichDependency(dependency, in: pool).positiveLeaves where pool.providers(leaf).isEmpty {
            found += sameName(leaf)
            if found.isEmpty { found += sameLibrary(leaf) }
        }
        return Array(found.prefix(NearestNames.limit))
    }

    private func sameName(_ dependency: Id) -> [String] {
        guard dependency < 0 else { return [] }
        var name = dependency
        while name < 0 { name = pool.relation(name).name }
        return describe(name)
    }

    /// `libfoo.so.2()(64bit)` where `libfoo.so.1()(64bit)` was asked for.
    private func sameLibrary(_ dependency: Id) -> [String] {
        var name = dependency
        while name < 0 { name = pool.relation(name).name }
        let text = pool.text(name)
        guard let marker = text.firstRange(of: ".so.") else { return [] }
        let stem = text[..<marker.upperBound]
        let suffix = text[(text.firstIndex(of: "(") ?? text.endIndex)...]
        var found: [String] = []
        for id in 1..<pool.pool.pointee.ss.nstrings where strncmp(pool_id2str(pool.pool, id), String(stem), stem.utf8.count) == 0 {
            if pool.text(id).hasSuffix(suffix) { found += describe(id) }
        }
        return found
    }

    private func describe(_ name: Id) -> [String] {
        let providers = pool.providers(name).filter { $0 > SYSTEMSOLVABLE }.sorted { pool.nevra($0) > pool.nevra($1) }
        return providers.prefix(NearestNames.limit).map { package in
            let provided = pool.dependencies(package, at: pool.solvable(package).pointee.provides).filter { dependency in
                var id = dependency
                while id < 0 { id = pool.relation(id).name }
                return id == name
            }
            return "\(pool.nevra(package)) provides \(provided.first.map(pool.text(ofDependency:)) ?? pool.text(name))"
        }
    }
}
