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

    var markup: PlainMarkup
    let pool: UnsafeMutablePointer<Pool>
    let repository: UnsafeMutablePointer<Repo>
    let data: UnsafeMutablePointer<Repodata>
    /// The package that is being read.
    var package: Id = 0
    /// The space for a text that libsolv gets.
    let scratch: UnsafeMutablePointer<UInt8>
    /// The directory of the last file, and its id.
    let directory: UnsafeMutablePointer<UInt8>
    var directoryCount = 0
    var directoryID: Id = 0

    /// The maximum number of bytes of a name, a version, a path or another text that is used.
    static let longest = PrimaryDocument.longestDependency
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
        _ = try markup.attributes(["xmlns", "xmlns:rpm", "packages"])
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

    var solvable: UnsafeMutablePointer<Solvable> { pool.pointee.solvables + Int(package) }

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
}
