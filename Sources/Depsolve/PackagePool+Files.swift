import CSolv
import Glibc

/// What packages have of files, as far as somebody wants to know.
extension PackagePool {
    /// Makes packages provide the paths of theirs that some package depends on. The complete file lists are read only if `primary.xml`
    /// cannot know such a path.
    func addFileProvides() throws(DepsolveError) {
        pool_addfileprovides(pool)
        let wanted = PathTable(unlistedPaths)
        if wanted.isEmpty { return }
        for list in fileLists {
            var found: [String: [Id]] = [:]
            try list.document.forEachFile { pkgid, path in
                if let id = wanted[path] { found[String(decoding: pkgid, as: UTF8.self).lowercased(), default: []].append(id) }
            }
            if found.isEmpty { continue }
            for package in list.packages {
                for path in found[pkgid(package)] ?? [] {
                    let solvable = solvable(package)
                    solvable.pointee.provides = repo_addid_dep(
                        solvable.pointee.repo, solvable.pointee.provides, path, Id(SOLVABLE_FILEMARKER.rawValue))
                }
            }
        }
    }

    /// The paths that something may depend on and that `primary.xml` leaves out.
    private var unlistedPaths: [(id: Id, text: String)] {
        (1..<pool.pointee.ss.nstrings).filter { id in
            // dnf does not find files of the root directory itself: libsolv takes their directory for none.
            guard let text = pool_id2str(pool, id), text[0] == Self.slash, strchr(text + 1, Int32(Self.slash)) != nil else { return false }
            // The filter that createrepo fills primary.xml with.
            return strstr(text, "bin/") == nil && strncmp(text, "/etc/", 5) != 0 && strcmp(text, "/usr/lib/sendmail") != 0
        }.map { (id: $0, text: text($0)) }
    }

    private static let slash = CChar(UInt8(ascii: "/"))

    /// The packages that provide a shared object, by what rpmbuild found in them, or else by the names of their files.
    func ownersOfSharedObjects(among packages: [Id]) throws(DepsolveError) -> Set<Id> {
        var owners: Set<Id> = []
        var unclear: [String: Id] = [:]
        for package in packages {
            let provides = dependencies(package, at: solvable(package).pointee.provides)
            if provides.contains(where: { $0 > 0 && Self.isSharedObject(text($0)) }) {
                owners.insert(package)
            } else {
                unclear[pkgid(package)] = package
            }
        }
        if unclear.isEmpty { return owners }
        for list in fileLists where !list.isLookaside {
            var last: UnsafeRawPointer?
            var owner: Id?
            try list.document.forEachFile { pkgid, path in
                if pkgid.baseAddress != last {
                    last = pkgid.baseAddress
                    owner = unclear[String(decoding: pkgid, as: UTF8.self).lowercased()]
                }
                if let owner, Self.isSharedObject(String(decoding: path, as: UTF8.self)) { owners.insert(owner) }
            }
        }
        return owners
    }

    /// Whether a file, or what rpmbuild says a file provides, is a shared object: `libfoo.so`, `libfoo.so.1`, `libfoo.so.1()(64bit)`.
    private static func isSharedObject(_ name: String) -> Bool {
        let name = name[(name.lastIndex(of: "/") ?? name.startIndex)...].prefix { $0 != "(" }
        guard let marker = name.firstRange(of: ".so") else { return false }
        let rest = name[marker.upperBound...]
        return rest.isEmpty || rest.first == "." && rest.dropFirst().first?.isNumber == true
    }

    private func pkgid(_ package: Id) -> String {
        var type: Id = 0
        return String(cString: solvable_lookup_checksum(solvable(package), Id(SOLVABLE_CHECKSUM.rawValue), &type))
    }
}
