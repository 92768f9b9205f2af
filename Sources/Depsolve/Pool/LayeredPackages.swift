import CSolv
import Compression
import Logging
import Repodata

/// The packages of a repository in parts: those of a base, and those that later revisions have added.
/// Each part is a libsolv repository of its own.
///
/// The order of packages reaches the answer of libsolv. So the packages of a revision are copied into
/// one repository in the order of its document. The parts keep the attributes that libsolv stores for a
/// repository, such as checksums and locations. They are disabled, so that the solver sees only copies.
///
/// The parts have all packages of the base, and those of earlier revisions that were followed. Only
/// the packages in ``order`` belong to the present revision.
///
/// Example: the base has `a-1` and `b-1`. In the next revision `a-1` was replaced by `a-2`. The parts
/// are `a-1`, `b-1` and `a-2`. The copy has `a-2` and `b-1`.
struct LayeredPackages {
    /// The base, and then a repository for each revision that has added packages.
    private(set) var repositories: [UnsafeMutablePointer<Repo>]
    /// The packages of the revision in the order of its document.
    private(set) var order: [Id]
    /// The ``RepositoryMetadata/id`` of the base.
    private(set) var base: Checksum
    /// The packages of the base in the order of its document.
    private var packagesOfBase: [Id]
    /// The changes of the document since the base, or `nil` if the revision is the base.
    private var changes: DocumentChanges?
    /// The packages of the new elements of ``changes``, in the order of the document.
    private var new: [Id] = []

    /// Whether the parts have so many packages that the revision does not have that it should be loaded
    /// anew.
    var isWasteful: Bool {
        let all = repositories.reduce(0) { $0 + Int($1.pointee.nsolvables) }
        // A layer may lack a tenth of the base. A fifth of a small base is little.
        return all - order.count > Int(repositories[0].pointee.nsolvables) / 5 + 1000
    }

    /// Takes a repository as a whole. It is the base.
    init(whole repository: UnsafeMutablePointer<Repo>, of id: Checksum) {
        repositories = [repository]
        base = id
        packagesOfBase = Self.packages(of: repository)
        order = packagesOfBase
    }

    /// Makes the present revision the base of later ones. Its id is `id`.
    mutating func rebase(on id: Checksum) {
        (base, packagesOfBase, changes, new) = (id, order, nil, [])
    }

    /// Loads the packages of a layer. Blocks. Throws if any package of the base or of the changes is not
    /// usable. Then positions in the documents are not positions in the repositories.
    init(of metadata: RepositoryMetadata, over id: Checksum, in pool: UnsafeMutablePointer<Pool>, logger: Logger) throws(DepsolveError) {
        let repository = repo_create(pool, id.hex)!
        let leftOut = try SolvFile.ofBase(id, of: metadata, logger: logger).add(to: repository)
        guard leftOut == 0, PackagePool.removeUnnameable(from: repository).isEmpty else { throw Self.unusual(metadata) }
        self.init(whole: repository, of: id)
        try follow(metadata)
    }

    private static func unusual(
        _ metadata: RepositoryMetadata, _ problem: String = "it has entries that are not usable packages"
    ) -> DepsolveError {
        .unusable(metadata.primary, of: metadata.id, problem)
    }

    private static func packages(of repository: UnsafeMutablePointer<Repo>) -> [Id] {
        let solvables = repository.pointee.pool.pointee.solvables!
        return (repository.pointee.start..<repository.pointee.end).filter { solvables[Int($0)].repo == repository }
    }

    /// Makes these packages those of another revision over the same base. Only elements that the present
    /// revision does not have are parsed. Blocks.
    ///
    /// If it throws, the parts can only be freed.
    mutating func follow(_ metadata: RepositoryMetadata) throws(DepsolveError) {
        let all = packagesOfBase
        guard let changes = try metadata.changesOfPrimary() else {
            (self.changes, new, order) = (nil, [], all)
            return
        }
        let new = try packages(of: changes, metadata)
        var order: [Id] = []
        order.reserveCapacity(all.count + changes.newCount)
        var isThere = [Bool](repeating: false, count: all.count)
        for run in changes.runs {
            let part = run.isNew ? new : all
            guard run.first + run.count <= part.count else { throw Self.unusual(metadata, "its changes are those of another document") }
            order += part[run.first..<run.first + run.count]
            if !run.isNew { for number in run.first..<run.first + run.count { isThere[number] = true } }
        }
        guard isThere.count(where: { !$0 }) == changes.goneCount, order.count == all.count - changes.goneCount + changes.newCount else {
            throw Self.unusual(metadata, "its changes are those of another document")
        }
        (self.changes, self.new, self.order) = (changes, new, order)
    }

    /// Returns the packages of the new elements. Those that the present revision does not have are added in
    /// a repository of their own.
    private mutating func packages(of changes: DocumentChanges, _ metadata: RepositoryMetadata) throws(DepsolveError) -> [Id] {
        var packages = changes.newElements(alsoIn: self.changes).map { position in position.map { new[$0] } }
        guard packages.count == changes.newCount else { throw Self.unusual(metadata, "its changes are damaged") }
        let missing = packages.indices.filter { packages[$0] == nil }
        if missing.isEmpty { return packages.compactMap { $0 } }
        let repository = repo_create(repositories[0].pointee.pool, "new")!
        func parse(_ bytes: UnsafeRawBufferPointer) throws(DepsolveError) -> Int {
            try PrimaryDocument(path: metadata.primary, repository: metadata.id, bytes: bytes).parse(into: repository)
        }
        let leftOut =
            if missing.count == packages.count {
                try parse(changes.newDocument)
            } else {
                try changes.newDocument(with: missing).withUnsafeBufferPointer { (bytes) throws(DepsolveError) in
                    try parse(UnsafeRawBufferPointer(bytes))
                }
            }
        guard leftOut == 0, PackagePool.removeUnnameable(from: repository).isEmpty, repository.pointee.nsolvables == missing.count else {
            throw Self.unusual(metadata)
        }
        for (position, package) in zip(missing, Self.packages(of: repository)) { packages[position] = package }
        repositories.append(repository)
        return packages.compactMap { $0 }
    }

    /// Fills the empty repository `copy` with copies of the packages, and disables the parts. The ids of
    /// the copies are consecutive, in the order of ``order``.
    ///
    /// The repository may have an array of ids. Its memory is used again, because new pages take longer to
    /// get than to fill.
    func copy(to copy: UnsafeMutablePointer<Repo>) {
        let pool = copy.pointee.pool!
        var offsets: [UnsafeMutablePointer<Repo>: Offset] = [:]
        let size = repositories.reduce(0) { $0 + Int($1.pointee.idarraysize) }
        if size > 0 {
            // libsolv expects an array that has room up to the next multiple of its block size.
            let block = 4096
            let ids = solv_realloc2(copy.pointee.idarraydata, size + block, MemoryLayout<Id>.stride)!.assumingMemoryBound(to: Id.self)
            var offset = 0
            for part in repositories where part.pointee.idarraysize > 0 {
                (ids + offset).update(from: part.pointee.idarraydata, count: Int(part.pointee.idarraysize))
                offsets[part] = Offset(offset)
                offset += Int(part.pointee.idarraysize)
            }
            copy.pointee.idarraydata = ids
            copy.pointee.idarraysize = Int32(size)
        } else {
            copy.pointee.idarraydata = solv_free(copy.pointee.idarraydata)?.assumingMemoryBound(to: Id.self)
        }
        if !order.isEmpty {
            let first = Int(repo_add_solvable_block(copy, Int32(order.count)))
            let solvables = pool.pointee.solvables!
            for (position, original) in order.enumerated() {
                var solvable = solvables[Int(original)]
                if solvable.repo != repositories[0] { Self.shift(&solvable, by: offsets[solvable.repo] ?? 0) }
                solvable.repo = copy
                solvables[first + position] = solvable
            }
        }
        copy.forgetLastList()
        for part in repositories { part.pointee.disabled = 1 }
    }

    /// Moves the lists of dependencies. The offset 0 is an empty list.
    private static func shift(_ solvable: inout Solvable, by distance: Offset) {
        for list in [
            \Solvable.provides, \Solvable.obsoletes, \Solvable.conflicts, \Solvable.requires, \Solvable.recommends, \Solvable.suggests,
            \Solvable.supplements, \Solvable.enhances,
        ] where solvable[keyPath: list] != 0 {
            solvable[keyPath: list] += distance
        }
    }
}

extension LayeredPackages {
    /// Runs `body` while the parts have only the packages of the revision. Meanwhile libsolv may add to the
    /// lists of provided files. Afterwards these lists are as before.
    ///
    /// A fresh pool does not have the other packages. So they must not make any file a provided one.
    static func withOnlyPresent(_ all: [LayeredPackages], in pool: UnsafeMutablePointer<Pool>, _ body: () -> Void) {
        var present = SolvableSet(capacity: Int(pool.pointee.nsolvables))
        for layered in all { for package in layered.order { present.insert(package) } }
        let parts = all.flatMap(\.repositories)
        let sizes = parts.map(\.pointee.idarraysize)
        let packages = parts.flatMap(Self.packages)
        let provides = packages.map { pool.pointee.solvables[Int($0)].provides }
        let hidden = packages.filter { !present.contains($0) }.map { (package: $0, repository: pool.pointee.solvables[Int($0)].repo) }
        for (package, _) in hidden { pool.pointee.solvables[Int(package)].repo = nil }
        for part in parts { part.forgetLastList() }
        body()
        for (package, repository) in hidden { pool.pointee.solvables[Int(package)].repo = repository }
        for (package, own) in zip(packages, provides) { pool.pointee.solvables[Int(package)].provides = own }
        // The position 0 is an empty list, so an array that exists has one number at least.
        for (part, size) in zip(parts, sizes) { part.pointee.idarraysize = max(size, 1) }
    }
}

extension UnsafeMutablePointer<Repo> {
    /// Makes libsolv copy each list of dependencies before it extends the list. So the positions of all
    /// lists stay valid, and the array can be shortened again.
    ///
    /// libsolv extends the last list of the array without a copy. If the list is long, it keeps a table of
    /// its members, and recognizes the list by the size of the array. So this puts another long list at the
    /// end.
    func forgetLastList() {
        let longest: Id = 64
        var list: Offset = 0
        for id in 1...longest + 1 { list = repo_addid(self, list, id) }
        _ = repo_addid_dep(self, list, longest + 2, 0)
    }

    /// Removes all packages. Their ids are free again if no package has a higher one. The memory of the
    /// array of ids stays.
    func emptyForCopies() {
        // libsolv would free the array.
        let ids = pointee.idarraydata
        pointee.idarraydata = nil
        pointee.idarraysize = 0
        repo_empty(self, 1)
        pointee.idarraydata = ids
    }
}
