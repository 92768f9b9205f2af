import ComposeModel
import Repodata
import SystemPackage

/// A repository that is on no server: the metadata of some packages of Koji, as if createrepo_c had been run at the hub's `topdir`.
struct SyntheticRepository: Sendable {
    struct Package: Sendable {
        let package: KojiPackage
        let file: PackageFragments.File
        /// By what its header is kept.
        let header: Checksum
    }

    /// In the order of their paths, each once.
    let packages: [Package]
    let documents: [MetadataDocument]
    /// What stands for a repomd.xml: nothing but a digest over all that the documents are made from. Equal packages give equal bytes.
    let repomd: [UInt8]
    /// Of ``repomd``.
    let id: Checksum

    /// - Parameter base: of all the files, where their metadata has one.
    init(_ packages: [Package], documents: [MetadataDocument], base: String? = nil) {
        var seen: Set<Checksum> = []
        self.packages = packages.sorted { $0.file.href < $1.file.href }.filter { seen.insert($0.file.pkgid).inserted }
        self.documents = documents
        var text = "koji 1 \(documents.map(\.rawValue))\n" + (base.map { "base \($0)\n" } ?? "")
        for package in self.packages {
            text +=
                "\(package.header.hex) \(package.file.pkgid.hex) \(package.file.size) \(package.file.headerStart) \(package.file.href)\n"
        }
        let repomd =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>\(Checksum.ofText(text).hex)</revision></repomd>

            """
        self.repomd = Array(repomd.utf8)
        id = .ofText(repomd)
    }
}

extension SyntheticRepository {
    /// Writes the documents from what `store` has, and makes them known in `cache`. Blocking.
    func publish(in cache: MetadataCache, from store: HeaderStore) throws(ComposeFailure) -> RepositoryMetadata {
        let fresh = try storing { () throws(Errno) in try cache.prepare() }
        do throws(ComposeFailure) {
            try write(to: fresh, from: store)
            let found = try storing { () throws(Errno) in
                try RegularFile.write(repomd, to: fresh.appending("repomd.xml"))
                try cache.publish(fresh, as: id)
                return try cache.find(id)
            }
            guard let found else { throw .storage(.noSuchFileOrDirectory) }
            return found.metadata
        } catch {
            try storing { () throws(Errno) in try cache.discard(fresh) }
            throw error
        }
    }

    private func write(to directory: FilePath, from store: HeaderStore) throws(ComposeFailure) {
        do throws(RepodataError) {
            var writer = try FragmentsWriter(directory: directory, documents: documents, packageCount: packages.count)
            for package in packages {
                guard let fragments = store.fragments(package.header) else {
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
