import CSolv
import Compression
import Logging
import Repodata

/// The packages of a repository that is kept as a layer: those of the base that are still there,
/// and the new ones. Each kind is in a libsolv repository of its own.
///
/// The order of packages reaches the answer of libsolv. So the packages are copied into one
/// repository in the order of the new document. The two parts keep the attributes that libsolv
/// stores for a repository, such as checksums and locations. They are disabled, so that the solver
/// sees only copies.
///
/// Example: the base has `a-1` and `b-1`, and `a-1` was replaced. The parts are `b-1` and `a-2`.
/// The copy has `a-2` and `b-1`.
struct LayeredPackages {
    let base: UnsafeMutablePointer<Repo>
    private let new: UnsafeMutablePointer<Repo>?
    /// The packages in the order of the document.
    let order: [Id]

    /// Both parts.
    var repositories: [UnsafeMutablePointer<Repo>] { [base] + (new.map { [$0] } ?? []) }

    /// Takes a repository as a whole.
    init(whole repository: UnsafeMutablePointer<Repo>) {
        base = repository
        new = nil
        let solvables = repository.pointee.pool.pointee.solvables!
        order = (repository.pointee.start..<repository.pointee.end).filter { solvables[Int($0)].repo == repository }
    }

    /// Loads the packages of a layer into two repositories. Packages that are gone are removed. Blocks.
    ///
    /// Throws if any package of the base or of the changes is not usable. Then positions in the
    /// documents are not positions in the repositories.
    init(of metadata: RepositoryMetadata, over id: Checksum, in pool: UnsafeMutablePointer<Pool>, logger: Logger) throws(DepsolveError) {
        func unusual(_ problem: String) -> DepsolveError { .unusable(metadata.primary, of: metadata.id, problem) }
        guard let changes = try metadata.changesOfPrimary() else { throw unusual("it has no changes") }
        let base = repo_create(pool, id.hex)!
        let new = repo_create(pool, "new")!
        var leftOut = try SolvFile.ofBase(id, of: metadata, logger: logger).add(to: base)
        if changes.newCount > 0 {
            leftOut += try PrimaryDocument(path: metadata.primary, repository: metadata.id, bytes: changes.newDocument).parse(into: new)
        }
        guard leftOut == 0, PackagePool.removeUnnameable(from: base).isEmpty, PackagePool.removeUnnameable(from: new).isEmpty,
            Int(new.pointee.nsolvables) == changes.newCount
        else { throw unusual("it has entries that are not usable packages") }
        var order: [Id] = []
        var isThere = [Bool](repeating: false, count: Int(base.pointee.nsolvables))
        for run in changes.runs {
            let part = run.isNew ? new : base
            guard run.first + run.count <= Int(part.pointee.nsolvables), part.pointee.end - part.pointee.start == part.pointee.nsolvables
            else {
                throw unusual("its changes are those of another document")
            }
            order += (0..<run.count).map { part.pointee.start + Id(run.first + $0) }
            if !run.isNew { for number in run.first..<run.first + run.count { isThere[number] = true } }
        }
        guard isThere.count(where: { !$0 }) == changes.goneCount, order.count == isThere.count - changes.goneCount + changes.newCount else {
            throw unusual("its changes are those of another document")
        }
        // A fresh pool does not have them. So they must not make any file a provided one.
        let start = base.pointee.start
        for (number, isThere) in isThere.enumerated() where !isThere { repo_free_solvable(base, start + Id(number), 0) }
        self.base = base
        self.new = new
        self.order = order
    }

    /// Copies the packages into a new repository and disables the parts. The ids of the copies are
    /// consecutive, in the order of ``order``.
    func copy(named name: String, priority: Int32, in pool: UnsafeMutablePointer<Pool>) -> UnsafeMutablePointer<Repo> {
        let copy = repo_create(pool, name)!
        copy.pointee.subpriority = priority
        let sizes = repositories.map { Int($0.pointee.idarraysize) }
        let size = sizes.reduce(0, +)
        if size > 0 {
            // libsolv expects an array that has room up to the next multiple of its block size.
            let block = 4096
            let ids = solv_calloc(size + block, MemoryLayout<Id>.stride)!.assumingMemoryBound(to: Id.self)
            var offset = 0
            for (part, size) in zip(repositories, sizes) where size > 0 {
                (ids + offset).update(from: part.pointee.idarraydata, count: size)
                offset += size
            }
            copy.pointee.idarraydata = ids
            copy.pointee.idarraysize = Int32(size)
        }
        if !order.isEmpty {
            let first = Int(repo_add_solvable_block(copy, Int32(order.count)))
            let solvables = pool.pointee.solvables!
            for (position, original) in order.enumerated() {
                var solvable = solvables[Int(original)]
                if solvable.repo == new { Self.shift(&solvable, by: Offset(sizes[0])) }
                solvable.repo = copy
                solvables[first + position] = solvable
            }
        }
        for part in repositories { part.pointee.disabled = 1 }
        return copy
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
