import CSolv
import Glibc

/// The files of packages, as far as dependencies or multilib rules need them.
extension PackagePool {
    /// Makes packages provide those of their paths that some package depends on. Returns whether libsolv's
    /// lists of providers have to be made again.
    ///
    /// `primary.xml` has some of the paths. The complete file lists are read in two cases: if createrepo
    /// leaves a path out of `primary.xml`, or if no package has the path there. Other programs leave out
    /// more paths than createrepo.
    ///
    /// libsolv must have added the paths of `primary.xml` before, and made its lists.
    func addFileProvides() throws(DepsolveError) -> Bool {
        func isFound(_ path: (id: Id, text: String)) -> Bool { Self.isInPrimary(path.text) && !providers(path.id).isEmpty }
        let known = knownPaths
        if known.allSatisfy(isFound) { return false }
        // The pool may know paths that only other revisions of the repositories depend on.
        let depended = dependedTexts()
        let paths = known.filter { depended.contains($0.id) }
        if paths.allSatisfy(isFound) { return false }
        let wanted = PathTable(paths)
        for list in try fileLists() {
            var found: [String: [Id]] = [:]
            try list.document.forEachFile { pkgid, path in
                if let id = wanted[path] { found[String(decoding: pkgid, as: UTF8.self).lowercased(), default: []].append(id) }
            }
            if found.isEmpty { continue }
            for package in list.packages where solvable(package).pointee.repo != nil {
                for path in found[pkgid(package)] ?? [] { addProvides(path, to: package) }
            }
        }
        return true
    }

    private func addProvides(_ path: Id, to package: Id) {
        let solvable = solvable(package)
        if dependencies(package, at: solvable.pointee.provides).contains(path) { return }
        solvable.pointee.provides = repo_addid_dep(
            solvable.pointee.repo, solvable.pointee.provides, path, Id(SOLVABLE_FILEMARKER.rawValue))
    }

    /// The paths among the texts of the pool.
    private var knownPaths: [(id: Id, text: String)] {
        (1..<pool.pointee.ss.nstrings).filter { id in
            // dnf does not find files of the root directory itself, because libsolv does not recognize `/` as
            // their directory.
            guard let text = pool_id2str(pool, id) else { return false }
            return text[0] == Self.slash && strchr(text + 1, Int32(Self.slash)) != nil
        }.map { (id: $0, text: text($0)) }
    }

    /// Returns the texts that occur in a dependency of a package.
    private func dependedTexts() -> SolvableSet {
        var texts = SolvableSet(capacity: Int(pool.pointee.ss.nstrings))
        var relations = SolvableSet(capacity: Int(pool.pointee.nrels))
        func add(_ dependency: Id) {
            guard dependency < 0 else {
                texts.insert(dependency)
                return
            }
            guard relations.insert(dependency & Id.max) else { return }
            let relation = relation(dependency)
            add(relation.name)
            add(relation.evr)
        }
        for package in allPackages(ofLookaside: true) + allPackages() {
            let s = solvable(package).pointee
            for offset in [s.provides, s.obsoletes, s.conflicts, s.requires, s.recommends, s.suggests, s.supplements, s.enhances] {
                for dependency in dependencies(package, at: offset) { add(dependency) }
            }
        }
        return texts
    }

    /// Whether createrepo lists a path in `primary.xml`.
    private static func isInPrimary(_ path: String) -> Bool {
        strstr(path, "bin/") != nil || strncmp(path, "/etc/", 5) == 0 || strcmp(path, "/usr/lib/sendmail") == 0
    }

    private static let slash = CChar(UInt8(ascii: "/"))

    /// Returns the packages with files of multilib `runtime`, according to the complete file lists. If the
    /// lists have no file of a package, the package counts if it provides a library.
    func packagesWithRuntimeFiles(among packages: [Id]) throws(DepsolveError) -> Set<Id> {
        if packages.isEmpty { return [] }
        let candidates = Dictionary(packages.map { (pkgid($0), $0) }, uniquingKeysWith: { first, _ in first })
        var listed: Set<Id> = []
        var found: Set<Id> = []
        for list in try fileLists() where !list.isLookaside {
            var last: UnsafeRawPointer?
            var owner: Id?
            try list.document.forEachFile { pkgid, path in
                if pkgid.baseAddress != last {
                    last = pkgid.baseAddress
                    owner = candidates[String(decoding: pkgid, as: UTF8.self).lowercased()]
                    if let owner { listed.insert(owner) }
                }
                if let owner, RuntimeFile.isOne(path) { found.insert(owner) }
            }
        }
        for package in packages where !listed.contains(package) && providesLibrary(package) { found.insert(package) }
        return found
    }

    /// Whether rpmbuild found a library in the package, such as `libfoo.so.1` or `libfoo.so.1()(64bit)`.
    private func providesLibrary(_ package: Id) -> Bool {
        dependencies(package, at: solvable(package).pointee.provides).contains { $0 > 0 && strstr(pool_id2str(pool, $0), ".so.") != nil }
    }

    private func pkgid(_ package: Id) -> String {
        var type: Id = 0
        return String(cString: solvable_lookup_checksum(attributes(of: package), Id(SOLVABLE_CHECKSUM.rawValue), &type))
    }
}
