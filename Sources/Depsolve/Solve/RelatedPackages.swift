import CSolv
import ForeignText
import Repodata

/// A search for the companions of a binary package: its source package and its debugging information.
struct RelatedPackages {
    let pool: PackagePool

    /// Returns the source package of a package. If several source packages differ only in their epochs, the
    /// one with the epoch of the package is returned, or else the first.
    func source(of package: Id) -> Id? {
        guard let file = pool.sourceRPM(package) else { return nil }
        let sources = pool.index.sources(fileName: file)
        if sources.count < 2 { return sources.first }
        let epoch = pool.nevra(package).epoch
        return sources.first { pool.nevra($0).epoch == epoch } ?? sources.first
    }

    /// Returns the packages with debugging information that were built together with a package. These are
    /// `NAME-debuginfo`, or else `SOURCE-debuginfo`, and `SOURCE-debugsource`. SOURCE is the name of the
    /// source package.
    func debug(of package: Id) -> [Id] {
        guard !pool.isNoarch(package), !pool.isDebug(package), let file = pool.sourceRPM(package) else { return [] }
        let name = pool.text(pool.solvable(package).pointee.name)
        let source = pool.sourceName(package) ?? name
        let information =
            sibling(of: package, named: "\(name)-debuginfo", builtFrom: file)
            ?? sibling(of: package, named: "\(source)-debuginfo", builtFrom: file)
        return [information, sibling(of: package, named: "\(source)-debugsource", builtFrom: file)].compactMap { $0 }
    }

    /// Returns the packages that a package of debugging information requires, each with the requirement.
    /// Only packages of debugging information that were built together with it count.
    func debugRequired(by package: Id) -> [(id: Id, requirement: Id)] {
        guard let file = pool.sourceRPM(package) else { return [] }
        let arch = pool.solvable(package).pointee.arch
        return pool.inOrder(pool.requirements(package)).flatMap { requirement in
            RichDependency(requirement, in: pool).positiveLeaves.compactMap { leaf in
                let siblings = pool.providers(leaf).filter { other in
                    other > SYSTEMSOLVABLE && !pool.isLookaside(other) && pool.isShown(other) && pool.isDebug(other)
                        && pool.sourceRPM(other)?.hasSameBytes(as: file) == true
                        && (pool.solvable(other).pointee.arch == arch || pool.isNoarch(other))
                }
                return siblings.contains(package) ? nil : siblings.first.map { ($0, requirement) }
            }
        }
    }

    private func sibling(of package: Id, named name: String, builtFrom file: String) -> Id? {
        guard let name = pool.existingID(name) else { return nil }
        let arch = pool.solvable(package).pointee.arch
        return pool.named(name).first { pool.solvable($0).pointee.arch == arch && pool.sourceRPM($0)?.hasSameBytes(as: file) == true }
    }
}
