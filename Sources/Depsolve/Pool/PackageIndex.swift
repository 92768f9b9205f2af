import CSolv
import ForeignText
import Glibc
import Repodata

/// An index of the packages of a pool's repositories by their names. It includes hidden packages. It
/// does not include the lookasides.
struct PackageIndex {
    /// Packages that can be installed, of any architecture, grouped by name. The names are in ascending
    /// order, and each group is in order of preference.
    private let binaries: [Id]
    /// The range in ``binaries`` of the packages of each name.
    private let starts: [Id: Range<Int>]
    /// The names of all binary packages, in ascending order.
    let names: [(id: Id, text: String)]
    /// Source packages by `name-version-release`. Of several with the same key and epoch, only one is kept.
    private let sources: [ByteText: [Id]]

    init(_ pool: PackagePool) {
        var groups: [Id: [Id]] = [:]
        var sources: [ByteText: [Id]] = [:]
        for id in pool.allPackages() {
            if pool.isSource(id) {
                let nvr = ByteText(pool.nevra(id).nvr)
                let evr = pool.solvable(id).pointee.evr
                if sources[nvr]?.contains(where: { pool.solvable($0).pointee.evr == evr }) != true { sources[nvr, default: []].append(id) }
            } else {
                groups[pool.solvable(id).pointee.name, default: []].append(id)
            }
        }
        var binaries: [Id] = []
        var starts: [Id: Range<Int>] = [:]
        // libsolv's texts are compared directly. This takes a tenth of the time of Swift's strings.
        let names = groups.keys.sorted { strcmp(pool_id2str(pool.pool, $0), pool_id2str(pool.pool, $1)) < 0 }
            .map { (id: $0, text: pool.text($0)) }
        for (name, _) in names {
            let group = groups[name]!
            starts[name] = binaries.count..<binaries.count + group.count
            binaries += group
        }
        self.binaries = binaries
        self.starts = starts
        self.sources = sources
        self.names = names
    }

    /// Returns the binary packages of that name, of any architecture, in order of preference.
    func named(_ name: Id) -> ArraySlice<Id> {
        starts[name].map { binaries[$0] } ?? []
    }

    var allBinaries: [Id] { binaries }

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
