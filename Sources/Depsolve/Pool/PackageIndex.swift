import CSolv
import ForeignText
import Glibc
import Repodata

/// An index of the packages of a pool's repositories by their names. It includes hidden packages. It
/// does not include the lookasides.
///
/// It is made for each pool, and most requests look for a few names. So the names are put in order only
/// when they are needed.
final class PackageIndex {
    private unowned let pool: PackagePool
    /// Packages that can be installed, of any architecture, grouped by the id of the name. Each group is in
    /// order of preference.
    private let grouped: [Id]
    /// The position in ``grouped`` of the first package of each name, by the id of the name.
    private let starts: [Int32]
    /// Source packages by `name-version-release`. Of several with the same key and epoch, only one is kept.
    private let sources: [ByteText: [Id]]
    /// The names of all binary packages, in ascending order.
    private(set) lazy var names = sortedNames()

    init(_ pool: PackagePool) {
        self.pool = pool
        var binaries: [Id] = []
        var sources: [ByteText: [Id]] = [:]
        // One place more than there are names, so that each name has an end.
        var starts = [Int32](repeating: 0, count: Int(pool.pool.pointee.ss.nstrings) + 1)
        for id in pool.allPackages() {
            if pool.isSource(id) {
                let nvr = ByteText(pool.nevra(id).nvr)
                let evr = pool.solvable(id).pointee.evr
                if sources[nvr]?.contains(where: { pool.solvable($0).pointee.evr == evr }) != true { sources[nvr, default: []].append(id) }
            } else {
                binaries.append(id)
                starts[Int(pool.solvable(id).pointee.name) + 1] += 1
            }
        }
        for name in 1..<starts.count { starts[name] += starts[name - 1] }
        var next = starts
        var grouped = [Id](repeating: 0, count: binaries.count)
        for id in binaries {
            let name = Int(pool.solvable(id).pointee.name)
            grouped[Int(next[name])] = id
            next[name] += 1
        }
        self.grouped = grouped
        self.starts = starts
        self.sources = sources
    }

    private func sortedNames() -> [(id: Id, text: String)] {
        let names = (0..<starts.count - 1).filter { starts[$0] < starts[$0 + 1] }.map { Id($0) }
        // libsolv's texts are compared directly. This takes a tenth of the time of Swift's strings.
        return names.sorted { strcmp(pool_id2str(pool.pool, $0), pool_id2str(pool.pool, $1)) < 0 }.map { (id: $0, text: pool.text($0)) }
    }

    /// Returns the binary packages of that name, of any architecture, in order of preference.
    func named(_ name: Id) -> ArraySlice<Id> {
        // A name that came into the pool later has no packages.
        guard name >= 0, Int(name) + 1 < starts.count else { return [] }
        return grouped[Int(starts[Int(name)])..<Int(starts[Int(name) + 1])]
    }

    /// All binary packages, in ascending order of their names.
    var allBinaries: [Id] { names.flatMap { named($0.id) } }

    /// Returns the source packages with a file name that binary packages have as their `sourcerpm`. There
    /// are several if their epochs differ.
    func sources(fileName: String) -> [Id] {
        for suffix in [".src.rpm", ".nosrc.rpm"] where fileName.hasSuffix(suffix) {
            return sources[ByteText(fileName.dropLast(suffix.count))] ?? []
        }
        return []
    }

    var allSources: [Id] { sources.values.joined().sorted() }
}
