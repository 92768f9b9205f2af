import CSolv

/// Finds what belongs to a binary package: its source package, its debugging information.
struct RelatedPackages {
    let pool: PackagePool

    func source(of package: Id) -> Id? {
        pool.sourceRPM(package).flatMap { pool.index.source(fileName: $0) }
    }

    /// `NAME-debuginfo`, or else the one that is named after the source package, and `SOURCE-debugsource`: those that were built
    /// together with it.
    func debug(of package: Id) -> [Id] {
        guard !pool.isNoarch(package), !pool.isDebug(package), let file = pool.sourceRPM(package) else { return [] }
        let name = pool.text(pool.solvable(package).pointee.name)
        let source = pool.sourceName(package) ?? name
        let information =
            sibling(of: package, named: "\(name)-debuginfo", builtFrom: file)
            ?? sibling(of: package, named: "\(source)-debuginfo", builtFrom: file)
        return [information, sibling(of: package, named: "\(source)-debugsource", builtFrom: file)].compactMap { $0 }
    }

    private func sibling(of package: Id, named name: String, builtFrom file: String) -> Id? {
        guard let name = pool.existingID(name) else { return nil }
        let arch = pool.solvable(package).pointee.arch
        return pool.named(name).first { pool.solvable($0).pointee.arch == arch && pool.sourceRPM($0) == file }
    }
}
