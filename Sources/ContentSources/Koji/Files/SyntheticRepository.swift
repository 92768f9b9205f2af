import ComposeModel
import Compression
import Logging
import Repodata
import SystemPackage

/// A *synthetic repository* is a repository that does not exist on a server. It is the metadata of some
/// packages of Koji, as if createrepo_c had been run at the hub's `topdir`.
struct SyntheticRepository: Sendable {
    struct Package: Sendable {
        let package: KojiPackage
        /// The path of the file. It is the unsigned file unless another one was chosen.
        let path: String
        /// The known properties of the chosen file. `nil` before a file is chosen.
        fileprivate let chosen: PackageFragments.File?

        /// The chosen file. Before the choice it is a provisional file that stands for the package while a
        /// compose is solved.
        ///
        /// The value is computed on demand, because it costs a digest.
        var file: PackageFragments.File {
            chosen ?? PackageFragments.File(pkgid: package.provisionalID, size: package.size ?? 0, headerStart: 0, href: path)
        }
    }

    /// The packages in the order of their paths, without duplicates.
    let packages: [Package]
    let documents: [MetadataDocument]
    /// The substitute for a repomd.xml. It has only a digest of all data that the documents are made from.
    /// Equal packages give equal bytes.
    let repomd: [UInt8]
    /// The checksum of ``repomd``.
    let id: Checksum
    /// The place of which this repository is a revision. If an older revision is in the cache, only the
    /// differences are kept. `nil` if no other revision is expected.
    let place: String?
    /// The location of Koji's files.
    private let location: RepositoryLocation

    /// Creates the repository from which packages are chosen. It has all of `packages`.
    ///
    /// - Parameter question: The question that the packages answer, for example the tag and the
    ///   architectures. Its answers are revisions of one repository.
    init(forSolving packages: [KojiPackage], at location: RepositoryLocation, answering question: String? = nil) {
        let all = Self.sorted(packages.map { Package(package: $0, path: $0.path, chosen: nil) })
        self.init(
            sorted: Self.withoutDuplicates(all), documents: [.primary, .filelists], base: nil, at: location,
            place: question.map { "koji \(location) \($0)" })
    }

    /// Creates a repository of the chosen files whose checksums are known.
    ///
    /// - Parameter base: The base address of all files, if their metadata has one.
    init(ofChosen copies: [PackageCopy], base: String?, at location: RepositoryLocation) {
        let all = copies.compactMap { copy in
            copy.sha256.map { pkgid in
                Package(
                    package: copy.package, path: copy.path,
                    chosen: PackageFragments.File(
                        pkgid: pkgid, size: copy.size, headerStart: copy.headerStart, href: copy.path, base: base))
            }
        }
        self.init(sorted: Self.sorted(all).uniqued(by: \.file.pkgid), documents: MetadataDocument.allCases, base: base, at: location)
    }

    private init(
        sorted packages: [Package], documents: [MetadataDocument], base: String?, at location: RepositoryLocation, place: String? = nil
    ) {
        self.packages = packages
        self.place = place
        self.documents = documents
        self.location = location
        var identity = Array("koji 2 \(documents.map(\.rawValue))\n\(base.map { "base \($0)\n" } ?? "")".utf8)
        identity.reserveCapacity(packages.count * 256)
        for index in packages.indices { packages[index].identify(at: location, in: &identity) }
        let repomd =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>\(Checksum.ofBytes(identity).hex)</revision></repomd>

            """
        self.repomd = Array(repomd.utf8)
        id = .ofText(repomd)
    }

    /// Returns each of the packages once. They are in the order of their paths, and packages with the same
    /// pkgid have the same path.
    private static func withoutDuplicates(_ packages: [Package]) -> [Package] {
        // A package has a dozen texts, so a copy of 50,000 packages is not free.
        guard packages.indices.dropFirst().contains(where: { packages[$0 - 1].path == packages[$0].path }) else { return packages }
        var kept: [Package] = []
        var samePath = 0
        for package in packages {
            if let last = kept.last, last.path != package.path { samePath = kept.count }
            if !kept[samePath...].contains(where: { $0.package.isSame(as: package.package) }) { kept.append(package) }
        }
        return kept
    }

    /// Returns the packages in the order of their paths.
    private static func sorted(_ packages: [Package]) -> [Package] {
        let isSorted = packages.indices.dropFirst().allSatisfy { packages[$0 - 1].path <= packages[$0].path }
        return isSorted ? packages : packages.indices.sorted { packages[$0].path < packages[$1].path }.map { packages[$0] }
    }

    /// Returns the key under which the header of `package` is stored.
    func header(of package: Package) -> Checksum { HeaderStore.key(of: package.package, at: location) }
}

extension SyntheticRepository.Package {
    /// Appends all data that the package's metadata is made from. A zero byte follows each item, because no
    /// item contains one.
    fileprivate func identify(at location: RepositoryLocation, in bytes: inout [UInt8]) {
        func append(_ text: String) {
            bytes += text.utf8
            bytes.append(0)
        }
        let nevra = package.nevra
        append(package.payloadHash ?? "\(location)")
        append(nevra.name)
        append(nevra.epoch == 0 ? "" : "\(nevra.epoch)")
        append(nevra.version)
        append(nevra.release)
        append(nevra.arch)
        append(path)
        append("\(chosen?.size ?? package.size ?? 0)")
        guard let chosen else { return }
        append(chosen.pkgid.description)
        append("\(chosen.headerStart)")
    }
}

extension KojiPackage {
    /// Returns whether two packages with the same path have the same ``provisionalID``.
    fileprivate func isSame(as other: KojiPackage) -> Bool { nevra == other.nevra && payloadHash == other.payloadHash }
}

extension SyntheticRepository {
    /// Writes the documents from the headers in `store`, and publishes them in `cache`. If an older
    /// revision is in the cache, only the differences are published. Blocks.
    func publish(in cache: MetadataCache, from store: HeaderStore, logger: Logger) throws(ComposeFailure) -> MetadataCache.Found {
        let fresh = try ComposeFailure.storing { () throws(Errno) in try cache.prepare() }
        do throws(ComposeFailure) {
            try write(to: fresh, from: store)
            let isLayer = try makeLayer(in: fresh, of: cache, logger: logger)
            let found = try ComposeFailure.storing { () throws(Errno) in
                try RegularFile.write(repomd, to: fresh.appending("repomd.xml"))
                try cache.publish(fresh, as: id)
                return try cache.find(id, of: place)
            }
            record(in: cache, isBase: !isLayer, logger: logger)
            guard let found else { throw .storage(.noSuchFileOrDirectory) }
            return found
        } catch {
            try ComposeFailure.storing { () throws(Errno) in try cache.discard(fresh) }
            throw error
        }
    }

    /// Records that this is the latest revision of its place.
    private func record(in cache: MetadataCache, isBase: Bool, logger: Logger) {
        guard let place else { return }
        do throws(Errno) {
            try cache.record(id, of: place, isBase: isBase)
        } catch {
            logger.warning(
                "The next revision of a repository cannot be compared with this one",
                metadata: ["repository": "\(place)", "error": "\(error)"])
        }
    }

    /// Replaces the documents in `directory` by the differences to an older revision, if there are few.
    ///
    /// - Returns: Whether the directory is a layer from now on.
    private func makeLayer(in directory: FilePath, of cache: MetadataCache, logger: Logger) throws(ComposeFailure) -> Bool {
        guard let place else { return false }
        let isWhole: (String) -> Void = { reason in
            logger.info("A repository is kept as a whole", metadata: ["repository": "\(place)", "reason": "\(reason)"])
        }
        guard let old = cache.base(of: place, problem: isWhole) else { return false }
        defer { withExtendedLifetime(old.hold) {} }
        let isCompared =
            old.base.has(Set(documents))
            && documents.allSatisfy { document in
                let file = directory.appending("\(document.rawValue).xml")
                return old.base.writeChanges(of: document, from: file, limit: .max, to: directory)
            }
        do throws(RepodataError) {
            if isCompared, try old.base.linkDocuments(into: directory) { return true }
        } catch {
            throw .storage("The metadata of the packages in Koji could not be written: \(error.message).")
        }
        isWhole(isCompared ? "the files of the older revision could not be linked" : "too many differences from the older revision")
        RepositoryBase.removeChanges(in: directory)
        return false
    }

    private func write(to directory: FilePath, from store: HeaderStore) throws(ComposeFailure) {
        do throws(RepodataError) {
            var writer = try FragmentsWriter(directory: directory, documents: documents, packageCount: packages.count)
            for package in packages {
                guard let fragments = store.fragments(header(of: package)) else {
                    throw RepodataError(.missing, "what was read of the package \(package.package.nevra) is no longer there")
                }
                try writer.add(fragments, in: package.file)
            }
            try writer.finish()
        } catch {
            switch error.code {
            case .forbidden:
                throw ComposeFailure(.packageFileUnusable, "A package in Koji cannot be used: \(error.message).")
            default: throw .storage("The metadata of the packages in Koji could not be written: \(error.message).")
            }
        }
    }
}
