import CSolv
import Compression
import ForeignText
import Glibc
import Logging
import Repodata

/// A pool holds the packages of some repositories as machines of one architecture see them. It owns a
/// libsolv pool.
///
/// Packages and dependencies are identified by their `Id` in the pool. An id is valid only in the pool
/// that it comes from. A pool is confined to one thread at a time.
final class PackagePool {
    /// The identity of a pool: its repositories, its lookasides and its architecture.
    struct Key: Hashable {
        let repositories: [RepositoryMetadata]
        let lookaside: [RepositoryMetadata]
        let architecture: TreeArchitecture

        /// Whether the repositories are revisions of those of `other`: of the same places, or kept over
        /// the same bases.
        func isRelated(to other: Key) -> Bool {
            func names(_ key: Key) -> [[String]] {
                [key.repositories, key.lookaside].map { $0.map { $0.place.name ?? ($0.base ?? $0.id).hex } }
            }
            return architecture == other.architecture && names(self) == names(other)
        }
    }

    var key: Key
    let pool: UnsafeMutablePointer<Pool>
    private let logger: Logger
    /// The weak dependencies that were taken from the packages when they were loaded.
    var weakDependencies = WeakDependencies()
    /// The time limit of the current resolution.
    var limit = ResolutionLimit(.seconds(60))
    /// The origins of packages by libsolv's number of the repository.
    var origins: [Id: PackageOrigin] = [:]
    /// The origins in order of preference.
    var sortedOrigins: [PackageOrigin] { origins.values.sorted { $0.pointer.pointee.repoid < $1.pointer.pointee.repoid } }

    /// Packages of the repositories that were left out of the pool, with their repositories.
    private(set) var unnameable: [(package: Unnameable, repository: Checksum)] = []

    /// The numbers of entries of the repositories that are not usable packages.
    private(set) var unusable: [UnusableEntries] = []

    /// The packages with the attributes of the packages from ``firstCopy`` on, such as their checksums and
    /// locations. See ``LayeredPackages``.
    var originals: [Id] = []
    /// The first package that is a copy, or 0 if no package is one.
    var firstCopy: Id = 0
    /// The positions of the lists of provides without files, by the id of the package. Empty
    /// if the packages are copies.
    var ownProvides: [Offset] = []
    /// The files that the packages of earlier revisions provide.
    var providedFiles = ProvidedFiles()
    /// The size of the pool after it was loaded.
    var loadedSize = Size()

    /// Views of the packages that count. Each is made when it is first used.
    var views = Views()
    /// The packages of the repositories that count. `nil` means all packages.
    private var listed: SolvableSet?
    /// The hidden packages of repositories and lookasides. `nil` means that no package is hidden.
    private var hidden: SolvableSet?

    final class Views {
        var counted: SolvableSet?
        var index: PackageIndex?
        var builds: [ByteText: [Id]]?
        var nearestProviders: NearestProviders?
    }

    var index: PackageIndex {
        if let index = views.index { return index }
        let index = PackageIndex(self)
        views.index = index
        return index
    }

    /// All packages of repositories and lookasides that count, hidden packages included.
    private var counted: SolvableSet {
        if let counted = views.counted { return counted }
        var counted = emptySet()
        for package in allPackages(ofLookaside: true) + allPackages() { counted.insert(package) }
        views.counted = counted
        return counted
    }

    /// Returns the visible binary packages of that name, of any architecture, in order of preference.
    func named(_ name: Id) -> [Id] {
        let all = index.named(name)
        guard let hidden else { return Array(all) }
        return all.filter { !hidden.contains($0) }
    }

    /// The names of visible binary packages.
    var names: [String] {
        hidden == nil ? index.names.map(\.text) : index.names.filter { index.named($0.id).contains(where: isShown) }.map(\.text)
    }

    /// The binary packages of the repositories by the name of their source package, hidden packages
    /// included.
    var builds: [ByteText: [Id]] {
        if let builds = views.builds { return builds }
        let builds = Dictionary(grouping: index.allBinaries) { ByteText(sourceName($0) ?? "") }
        views.builds = builds
        return builds
    }

    var nearestProviders: NearestProviders {
        if let nearestProviders = views.nearestProviders { return nearestProviders }
        let nearestProviders = NearestProviders(self)
        views.nearestProviders = nearestProviders
        return nearestProviders
    }

    /// Loads the repositories. Blocks.
    static func load(_ key: Key, logger: Logger) throws(DepsolveError) -> PackagePool {
        if (key.repositories + key.lookaside).contains(where: { $0.base != nil }) {
            do throws(DepsolveError) {
                return try load(key, usingLayers: true, logger: logger)
            } catch {
                // If anything is unusual, the documents are read as a whole. Then all findings and errors are those
                // of a repository that is not a layer.
                logger.notice("layers not used", metadata: ["problem": "\(error)"])
            }
        }
        return try load(key, usingLayers: false, logger: logger)
    }

    private static func load(_ key: Key, usingLayers: Bool, logger: Logger) throws(DepsolveError) -> PackagePool {
        let pool = PackagePool(key, logger: logger)
        // The order is the order of preference. Of equal packages, the package of a lookaside is preferred for
        // a requirement. Then the result need not have it.
        for metadata in key.lookaside { try pool.add(metadata, isLookaside: true, usingLayers: usingLayers) }
        for metadata in key.repositories { try pool.add(metadata, isLookaside: false, usingLayers: usingLayers) }
        pool.loadedSize = pool.size
        if usingLayers {
            pool.makeParts()
            pool.makeCopies()
        } else {
            for origin in pool.origins.values { origin.pointer.forgetLastList() }
            pool.ownProvides = (0..<pool.capacity).map { pool.solvable(Id($0)).pointee.provides }
            pool_addfileprovides(pool.pool)
        }
        try pool.complete()
        return pool
    }

    /// Makes everything that the solver needs besides the packages. The packages must provide their
    /// files of `primary.xml` already.
    func complete() throws(DepsolveError) {
        makeProviders()
        if try addFileProvides() { makeProviders() }
        try refuseExplosiveDependencies()
        weakDependencies.take(from: self)
    }

    /// Makes libsolv's lists of the packages that provide something.
    func makeProviders() { pool_make_providers(pool) }

    private init(_ key: Key, logger: Logger) {
        self.key = key
        self.logger = logger
        pool = pool_create()
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        pool_setarchpolicy(pool, key.architecture.policy)
        // The libsolv of the RPM distributions is built with this setting. Packages of one name and two colors
        // (64 and 32 bits) can be installed together.
        _ = pool_set_flag(pool, POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
    }

    deinit {
        pool_free(pool)
    }

    private func add(_ metadata: RepositoryMetadata, isLookaside: Bool, usingLayers: Bool) throws(DepsolveError) {
        if usingLayers, let base = metadata.base {
            let parts = try LayeredPackages(of: metadata, over: base, in: pool, logger: logger)
            let repository = parts.repositories[0]
            origins[repository.pointee.repoid] = PackageOrigin(
                metadata: metadata, isLookaside: isLookaside, pointer: repository, isComplete: true, parts: parts)
            return
        }
        let repository = createRepository(metadata)
        let leftOut =
            metadata.base == nil
            ? try SolvFile(metadata: metadata, logger: logger).add(to: repository) : try PrimaryDocument.parse(metadata, into: repository)
        let removed = Self.removeUnnameable(from: repository)
        origins[repository.pointee.repoid] = PackageOrigin(
            metadata: metadata, isLookaside: isLookaside, pointer: repository,
            isComplete: metadata.base == nil && leftOut == 0 && removed.isEmpty)
        if isLookaside { return }
        unnameable += removed.map { ($0, metadata.id) }
        if leftOut > 0 { unusable.append(UnusableEntries(repository: metadata.id, count: leftOut)) }
    }

    func createRepository(_ metadata: RepositoryMetadata) -> UnsafeMutablePointer<Repo> {
        let repository = repo_create(pool, metadata.id.hex)!
        // The priority decides only among packages of equal version.
        repository.pointee.subpriority = -Int32(origins.count)
        return repository
    }

    /// Returns the package that has the attributes of `package`.
    func attributes(of package: Id) -> UnsafeMutablePointer<Solvable> {
        firstCopy > 0 && package >= firstCopy ? solvable(originals[Int(package - firstCopy)]) : solvable(package)
    }

    /// The repositories and lookasides that have complete file lists, with the range of their packages.
    func fileLists() throws(DepsolveError) -> [(document: FileListsDocument, isLookaside: Bool, packages: Range<Id>)] {
        var lists: [(document: FileListsDocument, isLookaside: Bool, packages: Range<Id>)] = []
        for origin in sortedOrigins {
            guard let path = origin.metadata.filelists else { continue }
            let document = FileListsDocument(
                path: path, repository: origin.metadata.id, changes: try origin.metadata.changesOfFileLists())
            lists.append((document, origin.isLookaside, origin.pointer.pointee.start..<origin.pointer.pointee.end))
        }
        return lists
    }

    // MARK: Where packages come from

    func isLookaside(_ package: Id) -> Bool { origin(package).isLookaside }

    func repository(of package: Id) -> Checksum { origin(package).metadata.id }

    private func origin(_ package: Id) -> PackageOrigin { origins[solvable(package).pointee.repo.pointee.repoid]! }

    /// Returns the packages of the repositories or of the lookasides, in order of preference. Source
    /// packages are included, hidden packages are not.
    func packages(ofLookaside isLookaside: Bool = false) -> [Id] {
        let all = allPackages(ofLookaside: isLookaside)
        guard let hidden else { return all }
        return all.filter { !hidden.contains($0) }
    }

    /// Returns the packages of ``packages(ofLookaside:)`` and the hidden ones.
    func allPackages(ofLookaside isLookaside: Bool = false) -> [Id] {
        sortedOrigins.filter { $0.isLookaside == isLookaside }.map(\.pointer).flatMap { repository in
            (repository.pointee.start..<repository.pointee.end).filter {
                pool.pointee.solvables[Int($0)].repo == repository && (isLookaside || listed?.contains($0) != false)
            }
        }
    }

    func solvable(_ package: Id) -> UnsafeMutablePointer<Solvable> { pool.pointee.solvables + Int(package) }

    /// One more than the greatest id of a package.
    var capacity: Int { Int(pool.pointee.nsolvables) }

    func emptySet() -> SolvableSet { SolvableSet(capacity: capacity) }

    // MARK: A narrower view

    /// Runs `body` while only `members` exist, as on a machine without other repositories.
    func withOnly<T>(_ members: SolvableSet, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
        let map = UnsafeMutablePointer<Map>.allocate(capacity: 1)
        map_init(map, pool.pointee.nsolvables)
        members.fill(map)
        let wider = pool.pointee.considered
        pool.pointee.considered = map
        makeProviders()
        defer {
            pool.pointee.considered = wider
            map_free(map)
            map.deallocate()
            makeProviders()
        }
        return try body()
    }

    /// Runs `body` while only `packages` of the repositories exist. All packages of the lookasides remain.
    func withListed<T>(_ packages: SolvableSet, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
        var visible = packages
        for package in allPackages(ofLookaside: true) { visible.insert(package) }
        let (all, allListed) = (views, listed)
        (views, listed) = (Views(), packages)
        defer { (views, listed) = (all, allListed) }
        return try withOnly(visible, body)
    }

    /// Whether the package is visible, that is, not hidden by modules.
    func isShown(_ package: Id) -> Bool { hidden.map { !$0.contains(package) } ?? true }

    /// Runs `body` while the packages of `hidden` are not visible.
    ///
    /// - Parameter isSolving: Whether `body` searches for providers. Then libsolv has to rebuild all its
    ///   lists.
    func withHidden<T>(_ hidden: SolvableSet, isSolving: Bool, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
        let outer = self.hidden
        self.hidden = hidden
        defer { self.hidden = outer }
        guard isSolving else { return try body() }
        var visible = counted
        visible.subtract(hidden)
        return try withOnly(visible, body)
    }

    // MARK: Size

    /// The approximate number of bytes that the pool occupies, counted from the arrays of libsolv. It is
    /// accurate enough to limit the total of all pools.
    var footprint: Int {
        let p = pool.pointee
        var bytes = Int(p.ss.nstrings) * 8 + Int(p.ss.sstrings) + Int(p.nrels) * 16 + Int(p.nsolvables) * MemoryLayout<Solvable>.stride
        bytes += (Int(p.whatprovidesdataoff) + Int(p.whatprovidesdataleft)) * 8 + Int(p.nsolvables) * 8
        for repository in origins.values.flatMap({ [$0.pointer] + ($0.parts?.repositories ?? []) }) {
            bytes += Int(repository.pointee.idarraysize) * 4
            for part in 1..<max(1, repository.pointee.nrepodata) {
                bytes += Int(repodata_memused(repo_id2repodata(repository, part)))
            }
        }
        return bytes
    }
}
