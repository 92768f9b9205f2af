import ComposeModel
import ComposeStore
import ContentSources
import Depsolve
import ForeignText
import Foundation
import Modules
import NIOPosix
import Repodata
import SystemPackage

/// Writes a compose into its attempt's directory: package files, repodata, and the documents that say what it is.
struct ComposeTreeWriter: Sendable {
    let attempt: ComposeAttempt
    let configuration: WorkerConfiguration
    let content: PackageSet
    let modules: ComposedModules
    /// Documents of the source about its packages together, which each repository of binary packages is to have.
    let keptDocuments: [RepositoryWriter.ExtraDocument]
    /// What is not as the request would have it. Sentences.
    let findings: [String]
    /// As far as they were opened before the packages were chosen.
    let indexes: MetadataIndexes
    let delivery: PackageDelivery
    /// Reads Koji's files, which no request can name.
    let kojiDelivery: PackageDelivery
    let threadPool: NIOThreadPool

    /// One RPM repository of the compose.
    private struct Repository: Sendable {
        /// Below ``ComposeLayout/repositories``: `x86_64/os`.
        let path: String
        /// The base architectures that productmd lists its packages under.
        let arches: [String]
        let packages: [Entry]
    }

    /// A package of a repository. A class, since it refers to a dozen objects and is handed on many times.
    private final class Entry: Sendable {
        let package: ResolvedPackage
        /// Where its file is, below the repository; where it lies in its source, if the compose refers to it.
        let href: String

        init(_ package: ResolvedPackage, href: String) {
            self.package = package
            self.href = href
        }

        var record: PackageRecord { package.record }
    }

    /// Whether the packages' files stay where they are.
    private var refers: Bool { attempt.lease.compose.request.delivery == .reference }

    func write(_ resolution: Resolution) async throws -> WrittenTree {
        let repositories = try repositories(of: resolution)
        let compose = attempt.directory.appending("compose")
        let pinned = Dictionary(content.repositories.map { ($0.metadata.id, $0) }, uniquingKeysWith: { first, _ in first })
        var lacking: [String] = []
        do {
            let repositoriesDirectory = attempt.directory.appending(ComposeLayout.repositories)
            try await threadPool.runIfActive { try makeDirectories(of: repositories, in: repositoriesDirectory) }
            // Repodata takes longest: beside it the files, then the documents.
            async let delivered: Void = deliver(repositories, to: repositoriesDirectory, from: pinned)
            let records = repositories.lazy.flatMap(\.packages).map(\.record)
            let indexes = try await indexes.adding(Set(records.map(\.repository)).compactMap { pinned[$0] }, threadPool: threadPool)
            // What metadata a package does not have is read from its file.
            let incomplete = try indexes.incomplete(among: records)
            if !refers && !incomplete.isEmpty { try await delivered }
            lacking = incomplete.compactMap { repository, count in
                // Without a document, all of its packages are without it, and nothing disagrees.
                guard indexes[repository]?.isComplete == true, let place = pinned[repository]?.place else { return nil }
                return
                    "In the metadata of \(place), filelists or other lacks \(count == 1 ? "1 package" : "\(count) packages") of this compose."
            }.sorted()
            for sentence in lacking { attempt.log.write(.warning, sentence) }
            async let repodata: Void = writeRepodata(of: repositories, in: repositoriesDirectory, from: indexes)
            // Where files and repodata fail, as on a full disk, the files explain it.
            try await delivered
            var images: [ComposeImage] = []
            if attempt.lease.compose.request.results.contains(.iso) {
                try await repodata
                images = try await self.images(of: resolution, in: repositoriesDirectory)
            }
            // They say what the documents of modules are called there.
            if !modules.builds.isEmpty { try await repodata }
            try await threadPool.runIfActive { [images] in
                try writeDocuments(of: resolution, repositories: repositories, images: images, in: compose)
            }
            try await repodata
        } catch let error as RepodataError {
            throw ComposeFailure(writing: error)
        } catch let error as CocoaError {
            throw ComposeFailure(storage: error)
        } catch let error as Errno {
            throw ComposeFailure(storage: error)
        }
        let packages = repositories.flatMap(\.packages)
        return WrittenTree(
            directory: attempt.directory, composeID: ComposeIdentity(attempt.lease.compose).id, packages: packages.count,
            bytes: refers ? 0 : packages.map(\.record.size).reduce(0, +),
            summary: WrittenTree.summary(ofPackages: packages.count) + (refers ? " by reference" : ""),
            findings: findings + lacking)
    }

    /// One of each architecture's tree, whose repodata is there.
    private func images(of resolution: Resolution, in directory: FilePath) async throws -> [ComposeImage] {
        let writer = ImageWriter(layout: attempt.layout, timestamp: timestamp, log: attempt.log, threadPool: threadPool)
        var images: [ComposeImage] = []
        for tree in resolution.trees { images.append(try await writer.write(arch: tree.arch, in: directory)) }
        return images
    }

    // MARK: Repositories

    private func repositories(of resolution: Resolution) throws(ComposeFailure) -> [Repository] {
        var repositories: [Repository] = []
        func add(_ path: String, _ arches: [String], _ packages: [ResolvedPackage]) throws(ComposeFailure) {
            repositories.append(Repository(path: path, arches: arches, packages: try entries(of: packages)))
        }
        for tree in resolution.trees {
            try add("\(tree.arch)/os", [tree.arch], tree.binaries)
            try add("\(tree.arch)/debug/tree", [tree.arch], tree.debug)
        }
        try add("source/tree", resolution.trees.map(\.arch), resolution.sources)
        return repositories
    }

    /// The packages, each with a place of its own. Epochs are no part of file names: of packages that differ in nothing else, the newest, which
    /// comes last, has the usual place, and each of the others lies in a folder of its own.
    private func entries(of packages: [ResolvedPackage]) throws(ComposeFailure) -> [Entry] {
        var taken: [PathComponent: Int] = [:]
        var entries: [Entry] = []
        entries.reserveCapacity(packages.count)
        for package in packages.reversed() {
            let filename = try PackagePlace.filename(of: package.record.nevra)
            let count = taken[filename, default: 0] + 1
            taken[filename] = count
            entries.append(Entry(package, href: refers ? package.record.location : PackagePlace.href(filename, number: count)))
        }
        return entries.reversed()
    }

    /// Below ``ComposeLayout/repositories``; an address for a package that the compose refers to.
    private func place(of entry: Entry, in repository: Repository) -> String {
        refers ? (entry.record.base ?? "") + entry.record.location : "\(repository.path)/\(entry.href)"
    }

    private func makeDirectories(of repositories: [Repository], in directory: FilePath) throws {
        for repository in repositories {
            let path = directory.appending(repository.path).appending(refers ? "" : "Packages")
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        }
    }

    private func deliver(
        _ repositories: [Repository], to directory: FilePath, from pinned: [Checksum: PinnedRepository]
    ) async throws {
        guard !refers else { return }
        for repository in repositories {
            try await deliver(repository, to: directory.appending(repository.path), from: pinned)
            try Task.checkCancellation()
        }
        try await threadPool.runIfActive { try checkSignatures(of: repositories, in: directory) }
    }

    private func deliver(_ repository: Repository, to directory: FilePath, from pinned: [Checksum: PinnedRepository]) async throws {
        var tally: [PackageDelivery.Method: Int] = [:]
        for (id, packages) in Dictionary(grouping: repository.packages, by: \.record.repository) {
            guard let source = pinned[id] else { throw Self.unknownRepository }
            let items = packages.map { (record: $0.record, destination: directory.appending($0.href)) }
            let delivery = id == content.koji?.repository ? kojiDelivery : delivery
            tally.merge(try await delivery.deliver(all: items, of: source), uniquingKeysWith: +)
        }
        guard !tally.isEmpty else { return }
        let methods = tally.map { "\($0.value) by \($0.key.rawValue)" }.sorted().joined(separator: ", ")
        attempt.log.write(.info, "Put packages into \(repository.path): \(methods).")
    }

    /// With `sigkeys`, every package must be signed by one of them, unless the list allows unsigned packages. Files that are not here are not
    /// looked into: where Koji keeps them says by which key they are signed.
    private func checkSignatures(of repositories: [Repository], in directory: FilePath) throws {
        let required = attempt.lease.compose.request.sigkeys
        guard !required.isEmpty, !required.contains("") else { return }
        var seen: Set<NEVRA> = []
        var wrong: [ComposeFailure.Detail] = []
        for repository in repositories {
            for package in repository.packages where seen.insert(package.record.nevra).inserted {
                let path = package.href
                let keys = try RPMHeader(reading: directory.appending(repository.path).appending(path), named: path).signingKeyIDs
                if required.contains(where: { required in keys.contains { $0.hasSuffix(required.lowercased()) } }) { continue }
                let nevra = package.record.nevra
                let signature = keys.isEmpty ? "is not signed" : "is signed by \(keys.joined(separator: ", "))"
                wrong.append(.init(package: nevra.description, arch: nevra.arch, text: "\(nevra) \(signature)"))
            }
        }
        guard !wrong.isEmpty else { return }
        let named = wrong.prefix(Self.namedPackages).compactMap(\.text) + (wrong.count > Self.namedPackages ? ["and so on"] : [])
        throw ComposeFailure(
            .packageFileUnusable,
            "\(wrong.count == 1 ? "1 package is" : "\(wrong.count) packages are") not signed by any of the keys "
                + "\(required.joined(separator: ", ")): \(named.joined(separator: "; ")). "
                + "An empty key among the sigkeys allows packages that none of the others has signed.",
            details: wrong)
    }

    /// How many packages an explanation names.
    private static let namedPackages = 20

    private static let unknownRepository = ComposeFailure(
        .internal, "A package was chosen from a repository that is not part of the source.")

    private func writeRepodata(of repositories: [Repository], in directory: FilePath, from indexes: MetadataIndexes) async throws {
        for repository in repositories {
            let directory = directory.appending(repository.path)
            try Task.checkCancellation()
            try await threadPool.runIfActive { try writeRepodata(of: repository, in: directory, from: indexes) }
            if let signer = configuration.signer { try await signer.sign(directory.appending("repodata")) }
        }
    }

    private func writeRepodata(of repository: Repository, in directory: FilePath, from indexes: MetadataIndexes) throws {
        var writer = try RepositoryWriter(
            directory: directory, packageCount: repository.packages.count,
            options: .init(compression: configuration.compression, revision: String(timestamp), timestamp: timestamp))
        for package in repository.packages {
            guard let index = indexes[package.record.repository] else { throw Self.unknownRepository }
            if refers {
                try writer.add(referring: package.record, from: index)
            } else {
                let path = package.href
                try writer.add(package.record, from: index, href: path, file: directory.appending(path))
            }
        }
        try finish(writer, of: repository, in: directory)
    }

    /// With the documents of modules, where there are any, and those that are kept.
    private func finish(_ writer: consuming RepositoryWriter, of repository: Repository, in directory: FilePath) throws {
        let kept = repository.path.hasSuffix("/os") ? keptDocuments : []
        guard let yaml = modules.documents[repository.path] else {
            _ = try writer.finish(extra: kept)
            return
        }
        let file = directory.appending("modules.yaml")
        try file.create(yaml.utf8)
        _ = try writer.finish(extra: kept + [.init(type: "modules", file: file)])
        try FileManager.default.removeItem(atPath: file.string)
    }

    /// The revision and the times in repodata: the newest revision of the source that is a number, as it is by custom a time. So the same
    /// inputs give the same bytes.
    private var timestamp: Int {
        content.repositories.compactMap { $0.revision.flatMap { Int($0) } }.max() ?? 0
    }

    // MARK: Documents

    private func writeDocuments(
        of resolution: Resolution, repositories: [Repository], images: [ComposeImage], in compose: FilePath
    ) throws {
        let stored = attempt.lease.compose
        let metadata = compose.appending("metadata")
        try FileManager.default.createDirectory(atPath: metadata.string, withIntermediateDirectories: true)
        var product = productMetadata(ComposeIdentity(stored), of: resolution, repositories: repositories)
        product.images = images
        product.hasFiles = !refers
        product.modules = try modules.builds.map { build in
            .init(
                id: build.stream.id, arch: build.arch, kojiTag: kojiTag(of: build.stream.id), packages: build.packages,
                documents: try documents(of: build.arch, in: compose.appending("Temporary")))
        }
        for (name, document) in product.documents {
            try metadata.appending(name).create(document)
        }

        let url = "\(attempt.target.url)/\(attempt.layout.directory)"
        let repoFile = RepoFile(
            layout: attempt.layout, repositoriesURL: "\(url)/\(ComposeLayout.repositories)", gpgcheck: configuration.gpgcheck,
            moduleHotfixes: stored.request.moduleHotfixes ?? false, refers: refers,
            gpgkey: configuration.signer.map { _ in
                "\(url)/\(ComposeLayout.repositories)/\(repositories[0].path)/repodata/repomd.xml.key"
            })
        let lock = LockFile(
            stored.request, resolution: resolution, content: content, modules: modules,
            packages: all(repositories) { .init(resolved: $0.package, path: place(of: $0, in: $1)) })
        try ComposeDocuments(attempt: attempt).write(repoFile: repoFile.text, lock: try lock.text())
    }

    /// The packages of all repositories, each as what `body` makes of it.
    private func all<Package>(_ repositories: [Repository], _ body: (Entry, Repository) -> Package) -> [Package] {
        var packages: [Package] = []
        packages.reserveCapacity(repositories.map(\.packages.count).reduce(0, +))
        for repository in repositories {
            for entry in repository.packages { packages.append(body(entry, repository)) }
        }
        return packages
    }

    /// The tag of Koji that has the packages of a module; `nil` for one of a repository.
    private func kojiTag(of id: NSVC) -> String? {
        content.koji?.pin.modules?.first { $0.id == id.description }?.tag
    }

    /// Where the documents of modules lie, below the directory `compose`, by productmd's word for the kind of repository.
    private func documents(of arch: String, in directory: FilePath) throws -> [String: String] {
        var found: [String: String] = [:]
        for (kind, path) in [("binary", "\(arch)/os"), ("debug", "\(arch)/debug/tree"), ("source", "source/tree")] {
            let repodata = directory.appending(path).appending("repodata")
            let repomd = try Repomd(parsing: Data(contentsOf: URL(filePath: repodata.appending("repomd.xml").string)))
            if let record = repomd.record("modules") { found[kind] = "Temporary/\(path)/\(record.location)" }
        }
        return found
    }

    private func productMetadata(
        _ identity: ComposeIdentity, of resolution: Resolution, repositories: [Repository]
    ) -> ProductMetadata {
        // Each has a name of its own by now. A package whose file can have no name was left out when its repository was loaded.
        let sources = Dictionary(
            resolution.sources.compactMap { source in (try? source.record.nevra.filename).map { ($0.text, source.record.nevra) } },
            uniquingKeysWith: { first, _ in first })
        return ProductMetadata(
            identity: identity, label: attempt.lease.compose.request.label,
            arches: resolution.trees.map { $0.arch },
            packages: all(repositories) { package, repository in
                .init(
                    arches: repository.arches, record: package.record,
                    path: (refers ? "" : "Temporary/") + place(of: package, in: repository),
                    sourceNEVRA: package.record.sourceRPM.flatMap { sources[$0] ?? NEVRA($0) })
            })
    }
}
