import CSolv
import Glibc
import Repodata
import SystemPackage

/// `primary.xml` or `filelists.xml`, read with libsolv's parser and distrusted: what the parser would take without a word, or
/// would exhaust the stack with, is refused here.
struct PackagesDocument {
    let path: FilePath
    let repository: Checksum

    /// One dependency may be written with so many bytes. libsolv parses rich dependencies recursively; at this length that stays
    /// far below the size of a stack, and the longest that distributions have are a tenth of it.
    static let longestDependency = 16_384

    /// Adds the packages, or the file paths of packages that `repository` has already. Blocks.
    func parse(into repository: UnsafeMutablePointer<Repo>, flags: Int32) throws(DepsolveError) {
        try scan()
        guard let file = fopen(path.string, "r") else { throw unusable(String(cString: strerror(errno))) }
        defer { fclose(file) }
        guard repo_add_rpmmd(repository, file, nil, flags) == 0 else {
            let message = String(cString: pool_errstr(repository.pointee.pool))
            throw unusable(message.hasPrefix("repo_rpmmd: ") ? String(message.dropFirst(12)) : message)
        }
        if flags & REPO_EXTEND_SOLVABLES == 0 { try checkPackages(of: repository) }
    }

    private func unusable(_ reason: String) -> DepsolveError {
        .unusableMetadata(repository: repository, document: path.lastComponent?.string ?? "", reason: reason)
    }

    /// Whether the document is of the right kind, and no dependency in it is absurdly long.
    private func scan() throws(DepsolveError) {
        let descriptor = open(path.string, O_RDONLY)
        guard descriptor >= 0 else { throw unusable(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let length = Int(lseek(descriptor, 0, SEEK_END))
        guard length > 0 else { throw unusable("it is empty") }
        guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw unusable(String(cString: strerror(errno)))
        }
        defer { munmap(start, length) }
        let end = start + length

        let root: StaticString = path.lastComponent?.string == "filelists.xml" ? "filelists" : "metadata"
        var isRpmMD = false
        // A `<` cannot stand for itself inside a tag, so what is between two of them is one tag with its text.
        var position = start
        while let found = memchr(position, Int32(UInt8(ascii: "<")), end - position) {
            position = found + 1
            if Self.isTag("rpm:entry", at: position, before: end) {
                let next = memchr(position, Int32(UInt8(ascii: "<")), end - position) ?? end
                guard next - position <= Self.longestDependency else {
                    throw unusable("a dependency in it is longer than \(Self.longestDependency) bytes")
                }
            } else if !isRpmMD {
                isRpmMD = Self.isTag(root, at: position, before: end)
            }
        }
        guard isRpmMD else { throw unusable("it has no \(root) element, so it is not rpm-md") }
    }

    private static func isTag(_ name: StaticString, at position: UnsafeMutableRawPointer, before end: UnsafeMutableRawPointer) -> Bool {
        end - position >= name.utf8CodeUnitCount && memcmp(position, name.utf8Start, name.utf8CodeUnitCount) == 0
    }

    /// Every package has a name, a checksum and a place.
    private func checkPackages(of repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) {
        let pool = repository.pointee.pool!
        for id in repository.pointee.start..<repository.pointee.end {
            let solvable = pool.pointee.solvables + Int(id)
            guard solvable.pointee.repo == repository else { continue }
            let name = String(cString: pool_solvable2str(pool, solvable))
            var type: Id = 0
            if solvable.pointee.name == 0 { throw unusable("a package in it has no name") }
            if solvable_lookup_bin_checksum(solvable, Id(SOLVABLE_CHECKSUM.rawValue), &type) == nil {
                throw unusable("\(name) has no checksum")
            }
            if solvable_lookup_location(solvable, nil) == nil { throw unusable("\(name) has no location") }
        }
    }
}
