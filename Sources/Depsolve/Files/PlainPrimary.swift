import CSolv
import Glibc

/// A primary document as createrepo_c writes it. Its packages are read several times as fast as by
/// libsolv's own parser.
///
/// A document is plain if this type knows all of its elements and attributes, and if it is plain XML
/// (``PlainMarkup``). Then it is also well-formed, and its packages are those that libsolv's parser
/// makes of it: the same calls of libsolv are made in the same order. Only data that depsolving does
/// not need is left out, such as descriptions.
///
/// Any other document is read by libsolv's parser. So all findings and errors are those of that parser.
struct PlainPrimary: ~Copyable {
    typealias Unusual = PlainMarkup.Unusual
    typealias Piece = PlainMarkup.Piece

    private var markup: PlainMarkup
    private let pool: UnsafeMutablePointer<Pool>
    private let repository: UnsafeMutablePointer<Repo>
    private let data: UnsafeMutablePointer<Repodata>
    /// The package that is being read.
    private var package: Id = 0
    /// The space for a text that libsolv gets.
    private let scratch: UnsafeMutablePointer<UInt8>
    /// The directory of the last file, and its id.
    private let directory: UnsafeMutablePointer<UInt8>
    private var directoryCount = 0
    private var directoryID: Id = 0

    /// The maximum number of bytes of a name, a version, a path or another text that is used.
    private static let longest = PrimaryDocument.longestDependency
    /// An epoch, a version and a release with the characters between them, and a zero byte.
    private static let scratchSize = 3 * longest + 3

    /// Adds the packages of a document to `repository`, which must be empty.
    ///
    /// - Returns: Whether the document is plain. Otherwise `repository` is empty as before.
    static func read(_ bytes: UnsafeRawBufferPointer, into repository: UnsafeMutablePointer<Repo>) -> Bool {
        guard let markup = PlainMarkup(bytes) else { return false }
        var document = PlainPrimary(markup, repository)
        do throws(Unusual) {
            try document.read()
            document.finish()
            return true
        } catch {
            repo_empty(repository, 1)
            return false
        }
    }

    private init(_ markup: PlainMarkup, _ repository: UnsafeMutablePointer<Repo>) {
        self.markup = markup
        self.repository = repository
        pool = repository.pointee.pool
        data = repo_add_repodata(repository, 0)
        scratch = .allocate(capacity: Self.scratchSize)
        directory = .allocate(capacity: Self.longest + 1)
    }

    deinit {
        scratch.deallocate()
        directory.deallocate()
    }

    /// Ends the reading as `repo_add_rpmmd` does.
    private borrowing func finish() {
        repodata_free_dircache(data)
        if data.pointee.end > data.pointee.start {
            repodata_set_filelisttype(data, REPODATA_FILELIST_FILTERED)
            repodata_set_void(data, Id(SOLVID_META), Id(REPOSITORY_FILTEREDFILELIST.rawValue))
        }
        repodata_internalize(data)
    }

    // MARK: Elements

    private mutating func read() throws(Unusual) {
        try markup.skip("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        guard try markup.tag().isText("metadata") else { throw Unusual() }
        var (first, second, third): (Piece?, Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText("xmlns") {
                try Self.set(&first, value)
            } else if name.isText("xmlns:rpm") {
                try Self.set(&second, value)
            } else if name.isText("packages") {
                try Self.set(&third, value)
            } else {
                throw Unusual()
            }
        }
        if markup.isEmpty { throw Unusual() }
        while true {
            let name = try markup.tag()
            if name.isText("package") {
                try readPackage()
            } else if name.isText("/metadata") {
                break
            } else {
                throw Unusual()
            }
        }
        try markup.endTag()
        markup.skipSpace()
        guard markup.isAtEnd else { throw Unusual() }
    }

    private mutating func readPackage() throws(Unusual) {
        guard let type = try markup.attribute(), type.name.isText("type"), type.value.isText("rpm") else { throw Unusual() }
        try endStartTag()
        package = repo_add_solvable(repository)
        var isInFormat = false
        while true {
            let name = try markup.tag()
            if name.isText("/package") {
                if isInFormat { throw Unusual() }
                break
            } else if name.isText("format") {
                if isInFormat { throw Unusual() }
                try endStartTag()
                isInFormat = true
            } else if name.isText("/format") {
                guard isInFormat else { throw Unusual() }
                try markup.endTag()
                isInFormat = false
            } else if name.count > 4, memcmp(name.start, "rpm:", 4) == 0 {
                try readFormat(name)
            } else {
                try readElement(name)
            }
        }
        try markup.endTag()
        endPackage()
    }

    private func endPackage() {
        let solvable = solvable
        if solvable.pointee.arch == 0 { solvable.pointee.arch = Id(ARCH_NOARCH.rawValue) }
        if solvable.pointee.evr == 0 { solvable.pointee.evr = Id(ID_EMPTY.rawValue) }
        let isSource = solvable.pointee.arch == Id(ARCH_SRC.rawValue) || solvable.pointee.arch == Id(ARCH_NOSRC.rawValue)
        if solvable.pointee.name != 0, !isSource {
            let itself = pool_rel2id(pool, solvable.pointee.name, solvable.pointee.evr, REL_EQ, 1)
            solvable.pointee.provides = repo_addid_dep(repository, solvable.pointee.provides, itself, 0)
        }
        repo_rewrite_suse_deps(solvable, 0)
    }

    private var solvable: UnsafeMutablePointer<Solvable> { pool.pointee.solvables + Int(package) }

    /// Reads an element of a package that is not one of rpm.
    private mutating func readElement(_ name: Piece) throws(Unusual) {
        if name.isText("name") {
            solvable.pointee.name = try id(of: content("</name>"))
        } else if name.isText("arch") {
            solvable.pointee.arch = try id(of: content("</arch>"))
        } else if name.isText("version") {
            try readVersion()
        } else if name.isText("checksum") {
            try readChecksum()
        } else if name.isText("size") {
            try readSize()
        } else if name.isText("location") {
            try readLocation()
        } else if name.isText("file") {
            try readFile()
        } else if name.isText("time") {
            try skipNumbers("file", "build")
        } else if name.isText("summary") {
            try skipContent("</summary>")
        } else if name.isText("description") {
            try skipContent("</description>")
        } else if name.isText("packager") {
            try skipContent("</packager>")
        } else if name.isText("url") {
            try skipContent("</url>")
        } else {
            throw Unusual()
        }
    }

    /// Reads an element of rpm.
    private mutating func readFormat(_ name: Piece) throws(Unusual) {
        if name.isText("rpm:provides") {
            solvable.pointee.provides = try dependencies("/rpm:provides")
        } else if name.isText("rpm:requires") {
            solvable.pointee.requires = try dependencies("/rpm:requires", areRequirements: true)
        } else if name.isText("rpm:conflicts") {
            solvable.pointee.conflicts = try dependencies("/rpm:conflicts")
        } else if name.isText("rpm:obsoletes") {
            solvable.pointee.obsoletes = try dependencies("/rpm:obsoletes")
        } else if name.isText("rpm:recommends") {
            solvable.pointee.recommends = try dependencies("/rpm:recommends")
        } else if name.isText("rpm:suggests") {
            solvable.pointee.suggests = try dependencies("/rpm:suggests")
        } else if name.isText("rpm:supplements") {
            solvable.pointee.supplements = try dependencies("/rpm:supplements")
        } else if name.isText("rpm:enhances") {
            solvable.pointee.enhances = try dependencies("/rpm:enhances")
        } else if name.isText("rpm:sourcerpm") {
            let source = try optionalContent("</rpm:sourcerpm>")
            if let source, source.count > 0 { repodata_set_sourcepkg(data, package, try text(of: source)) }
        } else if name.isText("rpm:header-range") {
            try skipNumbers("start", "end")
        } else if name.isText("rpm:license") {
            try skipContent("</rpm:license>")
        } else if name.isText("rpm:vendor") {
            try skipContent("</rpm:vendor>")
        } else if name.isText("rpm:group") {
            try skipContent("</rpm:group>")
        } else if name.isText("rpm:buildhost") {
            try skipContent("</rpm:buildhost>")
        } else {
            throw Unusual()
        }
    }

    private mutating func readVersion() throws(Unusual) {
        var (epoch, version, release): (Piece?, Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText("epoch") {
                try Self.set(&epoch, value)
            } else if name.isText("ver") {
                try Self.set(&version, value)
            } else if name.isText("rel") {
                try Self.set(&release, value)
            } else {
                throw Unusual()
            }
        }
        guard markup.isEmpty else { throw Unusual() }
        solvable.pointee.evr = try evr(epoch, version, release)
    }

    private mutating func readChecksum() throws(Unusual) {
        var (type, pkgid): (Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText("type") {
                try Self.set(&type, value)
            } else if name.isText("pkgid") {
                try Self.set(&pkgid, value)
            } else {
                throw Unusual()
            }
        }
        guard !markup.isEmpty, let type else { throw Unusual() }
        let digits = try markup.text()
        try markup.skip("</checksum>")
        let checksumType = solv_chksum_str2type(try text(of: type))
        let length = Int(solv_chksum_len(checksumType))
        guard checksumType != 0, length > 0, digits.count == 2 * length else { throw Unusual() }
        for position in 0..<length {
            guard let high = Self.digit(digits.start[2 * position]), let low = Self.digit(digits.start[2 * position + 1]) else {
                throw Unusual()
            }
            scratch[position] = high << 4 | low
        }
        repodata_set_bin_checksum(data, package, Id(SOLVABLE_CHECKSUM.rawValue), checksumType, scratch)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private mutating func readSize() throws(Unusual) {
        var (stored, installed, archive): (Piece?, Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText("package") {
                try Self.set(&stored, value)
            } else if name.isText("installed") {
                try Self.set(&installed, value)
            } else if name.isText("archive") {
                try Self.set(&archive, value)
            } else {
                throw Unusual()
            }
        }
        guard markup.isEmpty else { throw Unusual() }
        guard let stored else { return }
        guard (1...18).contains(stored.count) else { throw Unusual() }
        var number: UInt64 = 0
        for position in 0..<stored.count {
            guard let digit = Self.digit(stored.start[position]), digit < 10 else { throw Unusual() }
            number = number * 10 + UInt64(digit)
        }
        repodata_set_num(data, package, Id(SOLVABLE_DOWNLOADSIZE.rawValue), number)
    }

    private mutating func readLocation() throws(Unusual) {
        var (href, base): (Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText("href") {
                try Self.set(&href, value)
            } else if name.isText("xml:base") {
                try Self.set(&base, value)
            } else {
                throw Unusual()
            }
        }
        guard markup.isEmpty, let href else { throw Unusual() }
        repodata_set_location(data, package, 0, nil, try text(of: href))
        guard let base else { return }
        let text = try text(of: base)
        // It names the number of a medium.
        if strncmp(text, "media:", 6) == 0 { throw Unusual() }
        repodata_set_poolstr(data, package, Id(SOLVABLE_MEDIABASE.rawValue), text)
    }

    private mutating func readFile() throws(Unusual) {
        var type: Piece?
        while let (name, value) = try markup.attribute() {
            guard name.isText("type") else { throw Unusual() }
            try Self.set(&type, value)
        }
        let path = try content("</file>", isInTag: false)
        let start = UnsafeMutableRawPointer(mutating: try text(of: path)).assumingMemoryBound(to: UInt8.self)
        guard start[0] == UInt8(ascii: "/"), let slash = strrchr(start, Int32(UInt8(ascii: "/"))) else { throw Unusual() }
        let count = UnsafeRawPointer(slash) - UnsafeRawPointer(start)
        if directoryID == 0 || count != directoryCount || memcmp(start, directory, count) != 0 {
            directory.update(from: start, count: count)
            directory[count] = 0
            directoryCount = count
            directoryID = count == 0 ? repodata_str2dir(data, "/", 1) : repodata_str2dir(data, Self.characters(directory), 1)
        }
        repodata_add_dirstr(data, package, Id(SOLVABLE_FILELIST.rawValue), directoryID, Self.characters(start + count + 1))
    }

    // MARK: Dependencies

    /// Reads a list of dependencies, whose start tag has been read up to its name.
    private mutating func dependencies(_ endTag: StaticString, areRequirements: Bool = false) throws(Unusual) -> Offset {
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
        var (name, flags, epoch, version, release, pre): (Piece?, Piece?, Piece?, Piece?, Piece?, Piece?)
        while let attribute = try markup.attribute() {
            if attribute.name.isText("name") {
                try Self.set(&name, attribute.value)
            } else if attribute.name.isText("flags") {
                try Self.set(&flags, attribute.value)
            } else if attribute.name.isText("epoch") {
                try Self.set(&epoch, attribute.value)
            } else if attribute.name.isText("ver") {
                try Self.set(&version, attribute.value)
            } else if attribute.name.isText("rel") {
                try Self.set(&release, attribute.value)
            } else if attribute.name.isText("pre") {
                try Self.set(&pre, attribute.value)
            } else {
                throw Unusual()
            }
        }
        // Whether it is too long is decided elsewhere, by the length of the whole tag.
        let length = markup.next - start + "<rpm:entry".utf8.count
        guard markup.isEmpty, length < Self.longest, let name, name.count > 0 else { throw Unusual() }
        var dependency: Id
        if let flags {
            dependency = pool_rel2id(pool, try id(of: name), try evr(epoch, version, release), try Self.relation(flags), 1)
        } else if name.start[0] == UInt8(ascii: "(") {
            dependency = pool_parserpmrichdep(pool, try text(of: name))
            if dependency == 0 { return }
        } else {
            dependency = try id(of: name)
        }
        var marker: Id = 0
        if isRequirement {
            // A requirement of a scriptlet comes behind the marker.
            let isOfScript = pre.map { $0.count > 0 && $0.start[0] == UInt8(ascii: "1") } ?? false
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
    private func evr(_ epoch: Piece?, _ version: Piece?, _ release: Piece?) throws(Unusual) -> Id {
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

    // MARK: Texts

    /// Returns the text of an element, whose start tag has been read up to its name. The element must have
    /// text and no attributes.
    private mutating func content(_ endTag: StaticString, isInTag: Bool = true) throws(Unusual) -> Piece {
        if isInTag { try endStartTag() }
        guard !markup.isEmpty else { throw Unusual() }
        let text = try markup.text()
        guard text.count > 0 else { throw Unusual() }
        try markup.skip(endTag)
        return text
    }

    /// Returns the text of an element without attributes, or `nil` if it has no end tag of its own.
    private mutating func optionalContent(_ endTag: StaticString) throws(Unusual) -> Piece? {
        guard try markup.attribute() == nil else { throw Unusual() }
        if markup.isEmpty { return nil }
        let text = try markup.text()
        try markup.skip(endTag)
        return text
    }

    /// Skips an element with a text that is not used, and perhaps an attribute.
    private mutating func skipContent(_ endTag: StaticString) throws(Unusual) {
        if let attribute = try markup.attribute() {
            guard attribute.name.isText("lang"), try markup.attribute() == nil else { throw Unusual() }
        }
        if markup.isEmpty { return }
        _ = try markup.text()
        try markup.skip(endTag)
    }

    /// Skips an empty element with attributes that are not used.
    private mutating func skipNumbers(_ a: StaticString, _ b: StaticString) throws(Unusual) {
        var (first, second): (Piece?, Piece?)
        while let (name, value) = try markup.attribute() {
            if name.isText(a) {
                try Self.set(&first, value)
            } else if name.isText(b) {
                try Self.set(&second, value)
            } else {
                throw Unusual()
            }
        }
        guard markup.isEmpty else { throw Unusual() }
    }

    /// Ends a start tag without further attributes. The element must have an end tag of its own.
    private mutating func endStartTag() throws(Unusual) {
        guard try markup.attribute() == nil, !markup.isEmpty else { throw Unusual() }
    }

    /// Sets the value of an attribute, which must not have one yet.
    @inline(__always)
    private static func set(_ attribute: inout Piece?, _ value: Piece) throws(Unusual) {
        guard attribute == nil else { throw Unusual() }
        attribute = value
    }

    /// Returns the id of a name.
    @inline(__always)
    private func id(of piece: Piece) throws(Unusual) -> Id {
        guard piece.count <= Self.longest else { throw Unusual() }
        if !piece.hasReferences { return pool_strn2id(pool, Self.characters(piece.start), numericCast(piece.count), 1) }
        return pool_strn2id(pool, Self.characters(scratch), numericCast(try write(piece, at: 0)), 1)
    }

    /// Returns a piece as a text for libsolv. The next text is written to the same place.
    private func text(of piece: Piece) throws(Unusual) -> UnsafePointer<CChar> {
        scratch[try write(piece, at: 0)] = 0
        return Self.characters(scratch)
    }

    @inline(__always)
    private func write(_ piece: Piece, at position: Int) throws(Unusual) -> Int {
        guard piece.count <= Self.longest else { throw Unusual() }
        return try PlainMarkup.write(piece, to: scratch + position)
    }

    @inline(__always)
    private static func characters(_ bytes: UnsafePointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
    }
}
