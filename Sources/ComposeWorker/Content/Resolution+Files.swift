import ComposeModel
import Depsolve
import Repodata

extension Resolution {
    /// The records of all packages in the resolution, each once.
    var records: [PackageRecord] {
        (trees.flatMap { $0.binaries + $0.debug } + sources).map(\.record).uniqued()
    }

    /// Returns the same packages and reasons with other records, which are those of the files that go into
    /// the compose.
    ///
    /// - Parameter record: Returns the new record of a package. It is called for each package.
    func replacingRecords(_ record: (PackageRecord) throws -> PackageRecord) rethrows -> Resolution {
        func replace(_ packages: [ResolvedPackage]) throws -> [ResolvedPackage] {
            try packages.map {
                ResolvedPackage(record: try record($0.record), reason: $0.reason, alternatives: $0.alternatives)
            }
        }
        return Resolution(
            trees: try trees.map {
                ArchitectureTree(arch: $0.arch, binaries: try replace($0.binaries), debug: try replace($0.debug), modules: $0.modules)
            }, sources: try replace(sources), absent: absent, missing: missing, problems: problems, overruled: overruled,
            unnameable: unnameable, unusable: unusable, modules: modules, moduleProblems: moduleProblems)
    }
}
