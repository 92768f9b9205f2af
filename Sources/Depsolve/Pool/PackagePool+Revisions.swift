import CSolv
import Repodata

/// The revisions of the repositories of a pool.
///
/// A pool can follow its repositories from one revision to another one. Only new elements are parsed.
/// Everything else that the solver sees is made anew from the packages of the revision, so that the
/// answers are those of a fresh pool.
extension PackagePool {
    /// The numbers of texts and relations of a pool. libsolv never frees any.
    struct Size {
        var texts = 0
        var relations = 0

        /// A tenth of a small pool is little.
        private static let slack = 10_000

        /// Whether a pool of this size has grown to `other` by more than a tenth.
        func isExceeded(by other: Size) -> Bool {
            func hasGrown(from old: Int, to new: Int) -> Bool { new > old + old / 10 + Self.slack }
            return hasGrown(from: texts, to: other.texts) || hasGrown(from: relations, to: other.relations)
        }
    }

    var size: Size { Size(texts: Int(pool.pointee.ss.nstrings), relations: Int(pool.pointee.nrels)) }

    /// Whether this pool can become the pool of `key`. All repositories must be revisions over the same
    /// bases, and the pool must not have much that is not needed any more.
    func canFollow(_ key: Key) -> Bool {
        let origins = sortedOrigins
        let wanted = key.lookaside + key.repositories
        return key.architecture == self.key.architecture && key.lookaside.count == self.key.lookaside.count
            && origins.count == wanted.count && zip(origins, wanted).allSatisfy { $0.canFollow($1) }
            && !loadedSize.isExceeded(by: size) && origins.allSatisfy { $0.parts?.isWasteful != true }
    }

    /// Makes this pool the pool of `key`, for which ``canFollow(_:)`` must hold. Blocks.
    ///
    /// Throws if a document has unusual new elements. Then the pool must not be used any more.
    func follow(_ key: Key) throws(DepsolveError) {
        views = Views()
        if firstCopy == 0 {
            weakDependencies.giveBack(to: self)
            for (package, provides) in ownProvides.enumerated() { solvable(Id(package)).pointee.provides = provides }
            ownProvides = []
            makeParts()
        } else {
            // In this order, the ids of all copies are free again.
            for origin in sortedOrigins.reversed() { origin.pointer.emptyForCopies() }
        }
        for (origin, metadata) in zip(sortedOrigins, key.lookaside + key.repositories) {
            try origins[origin.pointer.pointee.repoid]?.follow(metadata)
        }
        self.key = key
        makeCopies(remembersFiles: true)
        try complete()
    }

    /// Makes all repositories parts, and makes an empty repository for the copies of each.
    func makeParts() {
        let all = sortedOrigins
        origins = [:]
        for var origin in all {
            origin.parts = origin.parts ?? LayeredPackages(whole: origin.pointer, of: origin.metadata.id)
            origin.pointer = createRepository(origin.metadata)
            origins[origin.pointer.pointee.repoid] = origin
        }
    }

    /// Fills the repositories with copies that have the packages in the order of the documents.
    ///
    /// - Parameter remembersFiles: Whether the pool remembers which files are provided, because it is likely
    ///   to follow again.
    func makeCopies(remembersFiles: Bool = false) {
        let all = sortedOrigins
        let parts = all.compactMap(\.parts)
        LayeredPackages.withOnlyPresent(parts, in: pool) {
            if remembersFiles {
                providedFiles.add(to: parts.flatMap(\.order), of: self)
            } else {
                pool_addfileprovides(pool)
            }
            firstCopy = pool.pointee.nsolvables
            for origin in all { origin.parts?.copy(to: origin.pointer) }
        }
        originals = parts.flatMap(\.order)
    }
}
