import CSolv
import ForeignText
import Glibc
import Logging
import Repodata

/// The packages of some repositories as machines of one architecture see them: owns a libsolv pool.
///
/// Packages are known by their `Id` in the pool, dependencies too; an id is of use only with the pool that it comes from. Confined to
/// one thread at a time.
final class PackagePool {
    /// Whose packages: all there is to tell pools apart.
    struct Key: Hashable {
        let repositories: [RepositoryMetadata]
        let lookaside: [RepositoryMetadata]
        let architecture: TreeArchitecture
    }

    let key: Key
    let pool: UnsafeMutablePointer<Pool>
    private let logger: Logger
    /// What was taken from the packages when they were loaded.
    private(set) var weakDependencies = WeakDependencies()
    private(set) var exclusions: Exclusions!
    /// Until when the packages may be resolved.
    var limit = ResolutionLimit(.seconds(60))
    /// By libsolv's number of the repository.
    private var origins: [Id: Origin] = [:]

    /// Packages of the repositories that are not here, with where they would be from.
    private(set) var unnameable: [(package: Unnameable, repository: Checksum)] = []

    /// What the repositories list besides that is no package.
    private(set) var unusable: [UnusableEntries] = []

    private struct Origin {
        let metadata: RepositoryMetadata
        let isLookaside: Bool
        let pointer: UnsafeMutablePointer<Repo>
    }

    /// Made from the packages that count when they are first looked at.
    private var views = Views()
    /// The packages of the repositories that count; `nil`: all.
    private var listed: SolvableSet?
    /// Packages that are not to be seen, of repositories and lookasides; `nil`: none.
    private var hidden: SolvableSet?

    private final class Views {
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

    /// All packages that count, of repositories and lookasides, hidden ones too.
    private var counted: SolvableSet {
        if let counted = views.counted { return counted }
        var counted = emptySet()
        for package in allPackages(ofLookaside: true) + allPackages() { counted.insert(package) }
        views.counted = counted
        return counted
    }

    /// The binary packages of that name that are to be seen, of any architecture, in order of preference.
    func named(_ name: Id) -> [Id] {
        let all = index.named(name)
        guard let hidden else { return Array(all) }
        return all.filter { !hidden.contains($0) }
    }

    /// The names of binary packages that are to be seen.
    var names: [String] {
        hidden == nil ? index.names.map(\.text) : index.names.filter { index.named($0.id).contains(where: isShown) }.map(\.text)
    }

    /// The binary packages of the repositories, hidden ones too, by the name of the source package that they were built from.
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
        let pool = PackagePool(key, logger: logger)
        // In order of preference: of equal packages a lookaside's satisfies a requirement, so that the result need not have it.
        for metadata in key.lookaside { try pool.add(metadata, isLookaside: true) }
        for metadata in key.repositories { try pool.add(metadata, isLookaside: false) }
        try pool.addFileProvides()
        pool_createwhatprovides(pool.pool)
        try pool.refuseExplosiveDependencies()
        pool.weakDependencies.take(from: pool)
        pool.exclusions = Exclusions(of: pool)
        return pool
    }

    private init(_ key: Key, logger: Logger) {
        self.key = key
        self.logger = logger
        pool = pool_create()
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        pool_setarchpolicy(pool, key.architecture.policy)
        // As the libsolv of the RPM distributions is built: packages of one name and two colours (64 and 32 bits) can be installed
        // together.
        _ = pool_set_flag(pool, POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
    }

    deinit {
        pool_free(pool)
    }

    private func add(_ metadata: RepositoryMetadata, isLookaside: Bool) throws(DepsolveError) {
        let repository = repo_create(pool, metadata.id.hex)!
        // Decides among packages of equal version, and nothing else.
        repository.pointee.subpriority = -Int32(origins.count)
        origins[repository.pointee.repoid] = Origin(metadata: metadata, isLookaside: isLookaside, pointer: repository)
        let leftOut = try SolvFile(metadata: metadata, logger: logger).add(to: repository)
        let removed = Self.removeUnnameable(from: repository)
        if isLookaside { return }
        unnameable += removed.map { ($0, metadata.id) }
        if leftOut > 0 { unusable.append(UnusableEntries(repository: metadata.id, count: leftOut)) }
    }

    /// The repositories and lookasides that have complete file lists, with their packages.
    var fileLists: [(document: FileListsDocument, isLookaside: Bool, packages: Range<Id>)] {
        origins.values.sorted { $0.pointer.pointee.repoid < $1.pointer.pointee.repoid }.compactMap { origin in
            origin.metadata.filelists.map {
                (
                    FileListsDocument(path: $0, repository: origin.metadata.id), origin.isLookaside,
                    origin.pointer.pointee.start..<origin.pointer.pointee.end
                )
            }
        }
    }

    // MARK: Where packages come from

    func isLookaside(_ package: Id) -> Bool { origin(package).isLookaside }

    func repository(of package: Id) -> Checksum { origin(package).metadata.id }

    private func origin(_ package: Id) -> Origin { origins[solvable(package).pointee.repo.pointee.repoid]! }

    /// The packages of the repositories, or else of the lookasides, source packages included, in order of preference.
    func packages(ofLookaside isLookaside: Bool = false) -> [Id] {
        let all = allPackages(ofLookaside: isLookaside)
        guard let hidden else { return all }
        return all.filter { !hidden.contains($0) }
    }

    /// These, and those that are hidden.
    func allPackages(ofLookaside isLookaside: Bool = false) -> [Id] {
        let repositories = origins.values.filter { $0.isLookaside == isLookaside }.map(\.pointer)
            .sorted { $0.pointee.repoid < $1.pointee.repoid }
        return repositories.flatMap { repository in
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

    /// Runs `body` while only `members` are there, as on a machine that has no other repository.
    func withOnly<T>(_ members: SolvableSet, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
        let map = UnsafeMutablePointer<Map>.allocate(capacity: 1)
        map_init(map, pool.pointee.nsolvables)
        members.fill(map)
        let wider = pool.pointee.considered
        pool.pointee.considered = map
        pool_createwhatprovides(pool)
        defer {
            pool.pointee.considered = wider
            map_free(map)
            map.deallocate()
            pool_createwhatprovides(pool)
        }
        return try body()
    }

    /// Runs `body` while of the repositories only `packages` are there; the lookasides stay as they are.
    func withListed<T>(_ packages: SolvableSet, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
        var visible = packages
        for package in allPackages(ofLookaside: true) { visible.insert(package) }
        let (all, allListed) = (views, listed)
        (views, listed) = (Views(), packages)
        defer { (views, listed) = (all, allListed) }
        return try withOnly(visible, body)
    }

    /// Whether the package is there, as far as modules are concerned.
    func isShown(_ package: Id) -> Bool { hidden.map { !$0.contains(package) } ?? true }

    /// Runs `body` while the packages of `hidden` cannot be seen.
    ///
    /// - Parameter isSolving: Whether `body` asks who provides something, for which libsolv has to make all its lists anew.
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

    /// The bytes that the pool occupies, near enough to bound the sum of all pools by: what libsolv's arrays take.
    var footprint: Int {
        let p = pool.pointee
        var bytes = Int(p.ss.nstrings) * 8 + Int(p.ss.sstrings) + Int(p.nrels) * 16 + Int(p.nsolvables) * MemoryLayout<Solvable>.stride
        bytes += (Int(p.whatprovidesdataoff) + Int(p.whatprovidesdataleft)) * 8 + Int(p.nsolvables) * 8
        for origin in origins.values {
            bytes += Int(origin.pointer.pointee.idarraysize) * 4
            for part in 1..<max(1, origin.pointer.pointee.nrepodata) {
                bytes += Int(repodata_memused(repo_id2repodata(origin.pointer, part)))
            }
        }
        return bytes
    }
}
