import CSolv
import Glibc

// The lists of dependencies of a package, and versions.
extension PlainPrimary {
    /// Reads a list of dependencies, whose start tag has been read up to its name.
    mutating func dependencies(_ endTag: StaticString, areRequirements: Bool = false) throws(Unusual) -> Offset {
        guard try markup.attribute() == nil else { throw Unusual() }
        if markup.isEmpty { return 0 }
        var list: Offset = 0
        while true {
            let name = try markup.tag()
            if name.isText("rpm:entry") {
                try readDependency(&list, isRequirement: areRequirements)
            } else if name.isText(endTag) {
                break
            } else {
                throw Unusual()
            }
        }
        try markup.endTag()
        return list
    }

    private mutating func readDependency(_ list: inout Offset, isRequirement: Bool) throws(Unusual) {
        let start = markup.next
        let values = try markup.attributes(["name", "flags", "epoch", "ver", "rel", "pre"])
        // Whether it is too long is decided elsewhere, by the length of the whole tag.
        let length = markup.next - start + "<rpm:entry".utf8.count
        guard markup.isEmpty, length < Self.longest, let name = values[0], name.count > 0 else { throw Unusual() }
        var dependency: Id
        if let flags = values[1] {
            let evr = try evr(values[2], values[3], values[4])
            dependency = pool_rel2id(pool, try id(of: name), evr, try Self.relation(flags), 1)
        } else if name.start[0] == UInt8(ascii: "(") {
            dependency = pool_parserpmrichdep(pool, try text(of: name))
            if dependency == 0 { return }
        } else {
            dependency = try id(of: name)
        }
        var marker: Id = 0
        if isRequirement {
            // A requirement of a scriptlet comes behind the marker.
            let isOfScript = values[5].map { $0.count > 0 && $0.start[0] == UInt8(ascii: "1") } ?? false
            marker = Id(SOLVABLE_PREREQMARKER.rawValue) * (isOfScript ? 1 : -1)
        }
        list = repo_addid_dep(repository, list, dependency, marker)
    }

    private static func relation(_ flags: Piece) throws(Unusual) -> Int32 {
        if flags.isText("EQ") { return REL_EQ }
        if flags.isText("GE") { return REL_GT | REL_EQ }
        if flags.isText("LE") { return REL_LT | REL_EQ }
        if flags.isText("GT") { return REL_GT }
        if flags.isText("LT") { return REL_LT }
        throw Unusual()
    }

    /// Returns the id of `epoch:version-release`, or 0 if it is empty.
    func evr(_ epoch: Piece?, _ version: Piece?, _ release: Piece?) throws(Unusual) -> Id {
        var count = 0
        if let epoch, epoch.count > 0, !epoch.isText("0") {
            count = try write(epoch, at: 0)
            scratch[count] = UInt8(ascii: ":")
            count += 1
        } else if let version, Self.beginsAsEpoch(version) {
            throw Unusual()
        }
        if let version { count += try write(version, at: count) }
        if let release {
            scratch[count] = UInt8(ascii: "-")
            count = try 1 + count + write(release, at: count + 1)
        }
        return count == 0 ? 0 : pool_strn2id(pool, Self.characters(scratch), numericCast(count), 1)
    }

    /// Whether a version begins with digits and a colon.
    private static func beginsAsEpoch(_ version: Piece) -> Bool {
        var position = 0
        while position < version.count, digit(version.start[position]).map({ $0 < 10 }) == true { position += 1 }
        return position < version.count && (version.start[position] == UInt8(ascii: ":") || version.start[position] == UInt8(ascii: "&"))
    }
}
