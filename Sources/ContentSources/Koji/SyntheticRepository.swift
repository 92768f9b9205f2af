import ComposeModel
import Repodata
import SystemPackage

/// A repository that is on no server: the metadata of some packages of Koji, as if createrepo_c had been run at the hub's `topdir`.
struct SyntheticRepository: Sendable {
    struct Package: Sendable {
        let package: KojiPackage
        /// Of the file, which is the unsigned one unless another one was chosen.
        let path: String
        /// What is known of the file that was chosen.
        fileprivate let chosen: PackageFragments.File?

        /// The file; until one is chosen, the one that stands for the package while a compose is solved.
        ///
        /// Made when it is needed, since it takes a digest.
        var file: PackageFragments.File {
            chosen ?? PackageFragments.File(pkgid: package.provisionalID, size: package.size ?? 0, headerStart: 0, href: path)
        }
    }

    /// In the order of their paths, each once.
    let packages: [Package]
    let documents: [MetadataDocument]
    /// What stands for a repomd.xml: nothing but a digest over all that the documents are made from. Equal packages give equal bytes.
    let repomd: [UInt8]
    /// Of ``repomd``.
    let id: Checksum
    /// Where Koji's files are.
    private let location: RepositoryLocation

    /// What all of `packages` are chosen from.
    init(forSolving packages: [KojiPackage], at location: RepositoryLocation) {
        let all = packages.map { Package(package: $0, path: $0.path, chosen: nil) }
        // Those with the same pkgid have the same path.
        var sorted: [Package] = []
        sorted.reserveCapacity(all.count)
        for package in Self.sorted(all) {
            let samePath = sorted.reversed().prefix { $0.path == package.path }
            if !samePath.contains(where: { $0.package.isSame(as: package.package) }) { sorted.append(package) }
        }
        self.init(sorted: sorted, documents: [.primary, .filelists], base: nil, at: location)
    }

    /// The files of those that were chosen, as far as their checksums are known.
    ///
    /// - Parameter base: of all the files, where their metadata has one.
    init(ofChosen copies: [PackageCopy], base: String?, at location: RepositoryLocation) {
        let all = copies.compactMap { copy in
            copy.sha256.map { pkgid in
                Package(
                    package: copy.package, path: copy.path,
                    chosen: PackageFragments.File(
                        pkgid: pkgid, size: copy.size, headerStart: copy.headerStart, href: copy.path, base: base))
            }
        }
        var seen: Set<Checksum> = []
        let sorted = Self.sorted(all).filter { seen.insert($0.file.pkgid).inserted }
        self.init(sorted: sorted, documents: MetadataDocument.allCases, base: base, at: location)
    }

    private init(sorted packages: [Package], documents: [MetadataDocument], base: String?, at location: RepositoryLocation) {
        self.packages = packages
        self.documents = documents
        self.location = location
        var identity = Array("koji 2 \(documents.map(\.rawValue))\n\(base.map { "base \($0)\n" } ?? "")".utf8)
        identity.reserveCapacity(packages.count * 256)
        for package in packages { package.identify(at: location, in: &identity) }
        let repomd =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>\(Checksum.ofBytes(identity).hex)</revision></repomd>

            """
        self.repomd = Array(repomd.utf8)
        id = .ofText(repomd)
    }

    /// By their paths.
    private static func sorted(_ packages: [Package]) -> [Package] {
        let isSorted = zip(packages, packages.dropFirst()).allSatisfy { $0.path <= $1.path }
        return isSorted ? packages : packages.indices.sorted { packages[$0].path < packages[$1].path }.map { packages[$0] }
    }

    /// By what the header of `package` is kept.
    func header(of package: Package) -> Checksum { HeaderStore.key(of: package.package, at: location) }
}

extension SyntheticRepository.Package {
    /// Appends all that its metadata is made from, each thing with a zero byte behind it, which is in none of them.
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
    /// Whether both have the same ``provisionalID``, if they have the same path.
    fileprivate func isSame(as other: KojiPackage) -> Bool { nevra == other.nevra && payloadHash == other.payloadHash }
}

extension SyntheticRepository {
    /// Writes the documents from what `store` has, and makes them known in `cache`. Blocking.
    func publish(in cache: MetadataCache, from store: HeaderStore) throws(ComposeFailure) -> MetadataCache.Found {
        let fresh = try storing { () throws(Errno) in try cache.prepare() }
        do throws(ComposeFailure) {
            try write(to: fresh, from: store)
            let found = try storing { () throws(Errno) in
                try RegularFile.write(repomd, to: fresh.appending("repomd.xml"))
                try cache.publish(fresh, as: id)
                return try cache.find(id)
            }
            guard let found else { throw .storage(.noSuchFileOrDirectory) }
            return found
        } catch {
            try storing { () throws(Errno) in try cache.discard(fresh) }
            throw error
        }
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

    private func storing<Result>(_ body: () throws(Errno) -> Result) throws(ComposeFailure) -> Result {
        do throws(Errno) { return try body() } catch { throw .storage(error) }
    }
}
