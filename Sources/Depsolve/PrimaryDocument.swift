import CSolv
import Glibc
import Repodata
import SystemPackage

/// `primary.xml`, read with libsolv's parser and distrusted: what the parser would take without a word, or would exhaust the stack
/// with, is refused here.
struct PrimaryDocument {
    let path: FilePath
    let repository: Checksum

    /// One dependency may be written with so many bytes. libsolv parses rich dependencies recursively; at this length that stays
    /// far below the size of a stack, and the longest that distributions have are a tenth of it.
    static let longestDependency = 16_384

    /// A package's name, version or architecture may have so many bytes: far more than the name of a file has.
    static let longestName = 1024

    /// Adds the packages to `repository`, but for those that lack a name, a checksum or a place; gives the number of these. Blocks.
    func parse(into repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) -> Int {
        try check()
        guard let file = fopen(path.string, "r") else { throw unusable(String(cString: strerror(errno))) }
        defer { fclose(file) }
        guard repo_add_rpmmd(repository, file, nil, 0) == 0 else {
            let message = String(cString: pool_errstr(repository.pointee.pool))
            throw unusable(message.hasPrefix("repo_rpmmd: ") ? String(message.dropFirst(12)) : message)
        }
        return removeUnusablePackages(of: repository)
    }

    private func unusable(_ reason: String) -> DepsolveError { .unusable(path, of: repository, reason) }

    /// Whether the document is of the right kind, and no dependency in it is absurdly long.
    private func check() throws(DepsolveError) {
        let document = try MappedDocument(path, of: repository)
        var isRpmMD = false
        var isTooLong = false
        try document.forEachTag { tag throws(DepsolveError) in
            if tag.isTag("rpm:entry") {
                isTooLong = isTooLong || (tag.count > Self.longestDependency && (tag.endOfTag ?? tag.count) > Self.longestDependency)
            } else if !isRpmMD {
                isRpmMD = tag.isTag("metadata")
            }
        }
        if isTooLong { throw document.unusable("a dependency in it is longer than \(Self.longestDependency) bytes") }
        if !isRpmMD { throw document.unusable("it has no metadata element, so it is not rpm-md") }
    }

    /// Leaves out what is no package: it has no name or an endless one, no checksum or no place. The others can be used. Gives how many it has left out.
    private func removeUnusablePackages(of repository: UnsafeMutablePointer<Repo>) -> Int {
        let pool = repository.pointee.pool!
        var removed = 0
        for id in repository.pointee.start..<repository.pointee.end {
            let solvable = pool.pointee.solvables + Int(id)
            guard solvable.pointee.repo == repository else { continue }
            var type: Id = 0
            let isUsable =
                solvable.pointee.name != 0 && pool_id2str(pool, solvable.pointee.name).pointee != 0
                && [solvable.pointee.name, solvable.pointee.evr, solvable.pointee.arch].allSatisfy {
                    strnlen(pool_id2str(pool, $0), Self.longestName + 1) <= Self.longestName
                }
                && solvable_lookup_bin_checksum(solvable, Id(SOLVABLE_CHECKSUM.rawValue), &type) != nil
                && solvable_lookup_location(solvable, nil) != nil
            if isUsable { continue }
            repo_free_solvable(repository, id, 0)
            removed += 1
        }
        return removed
    }
}
