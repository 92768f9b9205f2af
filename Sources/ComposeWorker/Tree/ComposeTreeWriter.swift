import ComposeModel
import ComposeStore
import Compression
import ContentSources
import Depsolve
import ForeignText
import Foundation
import Modules
import NIOPosix
import Repodata
import SystemPackage

/// A compose tree writer writes a compose into its attempt's directory: package files, repodata, and
/// the documents that describe the compose.
struct ComposeTreeWriter: Sendable {
    let attempt: ComposeAttempt
    let configuration: WorkerConfiguration
    /// The state of the sources, for the lock file.
    let pins: ComposePins
    let content: PackageSet
    let modules: ComposedModules
    /// Documents of the source about its packages as a whole, such as `updateinfo`. Each repository of
    /// binary packages gets them.
    let keptDocuments: [RepositoryWriter.ExtraDocument]
    /// Sentences about points in which the compose differs from the request.
    let findings: [String]
    /// The metadata indexes that were opened before the packages were chosen.
    let indexes: MetadataIndexes
    let delivery: PackageDelivery
    /// Reads Koji's files. A request cannot name these files itself.
    let kojiDelivery: PackageDelivery
    let threadPool: NIOThreadPool

    /// One RPM repository of the compose.
    private struct Repository: Sendable {
        let kind: TreeLayout.Kind
        /// The repository's path below ``ComposeLayout/repositories``. Example: `x86_64/os`.
        let path: String
        /// The base architectures that productmd lists its packages under.
        let arches: [String]
        let packages: [Entry]
    }

    /// An entry is one package of a repository. It is a class, because it refers to a dozen objects and is
    /// passed on many times.
    private final class Entry: Sendable {
        let package: ResolvedPackage
        /// The path of the package's file below the repository. If the compose refers to its packages, this is
        /// the file's location in the source.
        let href: String

        init(_ package: ResolvedPackage, href: String) {
            self.package = package
            self.href = href
        }

        var record: PackageRecord { package.record }
    }

    /// Whether the compose refers to the packages' files in their sources instead of containing them.
    private var refers: Bool { attempt.lease.compose.request.delivery == .reference }

    func write(_ resolution: Resolution) async throws -> WrittenTree {
        let repositories = try repositories(of: resolution)
        let compose = attempt.directory.appending("compose")
        let pinned = Dictionary(content.repositories.map { ($0.metadata.id, $0) }, uniquingKeysWith: { first, _ in first })
        var lacking: [String] = []
        do {
            let repositoriesDirectory = attempt.directory.appending(ComposeLayout.repositories)
            try await threadPool.runIfActive { try makeDirectories(of: repositories, in: repositoriesDirectory) }
            // Writing repodata takes longest. The files are delivered at the same time, and then the documents are
            // written.
            async let delivered: Void = deliver(repositories, to: repositoriesDirectory, from: pinned)
            let records = repositories.lazy.flatMap(\.packages).map(\.record)
            let indexes = try await indexes.adding(Set(records.map(\.repository)).compactMap { pinned[$0] }, threadPool: threadPool)
            // If the metadata of a package is incomplete, the rest is read from the package's file. So the files
            // must be delivered first.
            let incomplete = try indexes.incomplete(among: records)
            if !refers && !incomplete.isEmpty { try await delivered }
            lacking = incomplete.compactMap { repository, count in
                // If a repository lacks a whole document, none of its packages is in that document. That is
                // consistent, and no warning is needed.
                guard indexes[repository]?.isComplete == true, let place = pinned[repository]?.place else { return nil }
                return
                    "In the metadata of \(place), filelists or other lacks \(count == 1 ? "1 package" : "\(count) packages") of this compose."
            }.sorted()
            for sentence in lacking { attempt.log.write(.warning, sentence) }
            async let repodata: Void = writeRepodata(of: repositories, in: repositoriesDirectory, from: indexes)
            // If both files and repodata fail, for example on a full disk, the error of the files explains it.
            try await delivered
            var images: [ComposeImage] = []
            if attempt.lease.compose.request.results.contains(.iso) {
                try await repodata
                images = try await self.images(of: resolution, in: repositoriesDirectory)
            }
            // The documents contain the file names of the module documents, which the repodata determines.
            if !modules.builds.isEmpty { try await repodata }
            try await threadPool.runIfActive { [images] in
                try writeDocuments(of: resolution, repositories: repositories, images: images, in: compose)
            }
            try await repodata
        } catch {
            throw ComposeFailure.writing(error)
        }
        let packages = repositories.flatMap(\.packages)
        return WrittenTree(
            directory: attempt.directory, composeID: ComposeIdentity(attempt.lease.compose).id, packages: packages.count,
            bytes: refers ? 0 : packages.map(\.record.size).reduce(0, +),
            summary: WrittenTree.summary(ofPackages: packages.count) + (refers ? " by reference" : ""),
            findings: findings + lacking)
    }

    /// Makes an ISO image of each architecture's tree. The tree's repodata must exist.
    private func images(of resolution: Resolution, in directory: FilePath) async throws -> [ComposeImage] {
        let writer = ImageWriter(layout: attempt.layout, timestamp: timestamp, log: attempt.log, threadPool: threadPool)
        var images: [ComposeImage] = []
        for tree in resolution.trees { images.append(try await writer.write(arch: tree.arch, in: directory)) }
        return images
    }

    // MARK: Repositories

    private func repositories(of resolution: Resolution) throws(ComposeFailure) -> [Repository] {
        var repositories: [Repository] = []
        func add(_ kind: TreeLayout.Kind, _ path: String, _ arches: [String], _ packages: [ResolvedPackage]) throws(ComposeFailure) {
            repositories.append(Repository(kind: kind, path: path, arches: arches, packages: try entries(of: packages)))
        }
        for tree in resolution.trees {
            try add(.os, TreeLayout.path(.os, tree.arch), [tree.arch], tree.binaries)
            try add(.debug, TreeLayout.path(.debug, tree.arch), [tree.arch], tree.debug)
        }
        try add(.source, TreeLayout.source, resolution.trees.map(\.arch), resolution.sources)
        return repositories
    }

    /// Returns the packages, each with a path of its own. File names do not contain the epoch, so packages
    /// that differ only in their epoch share a name. The newest of them, which comes last, has the usual
    /// path. Each of the others lies in a folder of its own. Throws `.packageFileUnusable` if no file can
    /// have the name of a package.
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

    /// Returns the path of the package's file below ``ComposeLayout/repositories``. If the compose refers
    /// to the package, returns the file's address.
    private func place(of entry: Entry, in repository: Repository) -> String {
        refers ? (entry.record.base ?? "") + entry.record.location : "\(repository.path)/\(entry.href)"
    }

    private func makeDirectories(of repositories: [Repository], in directory: FilePath) throws {
        for repository in repositories {
            let path = directory.appending(repository.path).appending(refers ? "" : PackagePlace.folder)
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
        for (method, files) in tally { attempt.meter.count(method.event, times: files) }
        let methods = tally.map { "\($0.value) by \($0.key.rawValue)" }.sorted().joined(separator: ", ")
        attempt.log.write(.info, "Put packages into \(repository.path): \(methods).")
    }

    /// Checks that every package is signed by one of the request's `sigkeys`. Nothing is checked if the
    /// request has no `sigkeys`, or if an empty key among them allows unsigned packages. Files that the
    /// compose only refers to are not read. The place at which Koji keeps such a file says by which key it
    /// is signed.
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

    /// The number of packages that an explanation names at most.
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

    /// Finishes the repodata, with the module documents if the repository has any, and with the kept
    /// documents.
    private func finish(_ writer: consuming RepositoryWriter, of repository: Repository, in directory: FilePath) throws {
        let kept = repository.kind == .os ? keptDocuments : []
        guard let yaml = modules.documents[repository.path] else {
            _ = try writer.finish(extra: kept)
            return
        }
        let file = directory.appending("modules.yaml")
        try file.create(yaml.utf8)
        _ = try writer.finish(extra: kept + [.init(type: "modules", file: file)])
        try FileManager.default.removeItem(atPath: file.string)
    }

    /// The revision and all times in repodata, in seconds since 1970. This is the newest revision of the
    /// source's repositories that is a number, because a revision is a time by convention. It is 0 if no
    /// revision is a number. Therefore the same inputs give the same bytes.
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
                documents: try documents(of: build.arch, in: compose.appending(TreeLayout.variant)))
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
        let streams = modules.streams
        let lock = LockFile(
            stored.request, pins: pins, resolution: resolution, content: content, modules: modules,
            packages: all(repositories) { entry, repository in
                .init(
                    resolved: entry.package, path: place(of: entry, in: repository), module: streams[entry.package.record.nevra],
                    koji: content.koji?.origins[entry.package.record.pkgid])
            })
        try ComposeDocuments(attempt: attempt).write(repoFile: repoFile.text, lock: try lock.text())
    }

    /// Returns the result of `body` for each package of all repositories.
    private func all<Package>(_ repositories: [Repository], _ body: (Entry, Repository) -> Package) -> [Package] {
        var packages: [Package] = []
        packages.reserveCapacity(repositories.map(\.packages.count).reduce(0, +))
        for repository in repositories {
            for entry in repository.packages { packages.append(body(entry, repository)) }
        }
        return packages
    }

    /// Returns the Koji tag that has the packages of a module. Returns `nil` for a module that comes from a
    /// repository.
    private func kojiTag(of id: NSVC) -> String? {
        content.koji?.pin.modules?.first { $0.id == id.description }?.tag
    }

    /// Returns the paths of the module documents below the directory `compose`. The keys are productmd's
    /// words for the kinds of repositories: `binary`, `debug` and `source`.
    private func documents(of arch: String, in directory: FilePath) throws -> [String: String] {
        var found: [String: String] = [:]
        for (word, kind) in [("binary", TreeLayout.Kind.os), ("debug", .debug), ("source", .source)] {
            let path = TreeLayout.path(kind, arch)
            let repodata = directory.appending(path).appending("repodata")
            let repomd = try Repomd(parsing: Data(contentsOf: URL(filePath: repodata.appending("repomd.xml").string)))
            if let record = repomd.record("modules") { found[word] = "\(TreeLayout.variant)/\(path)/\(record.location)" }
        }
        return found
    }

    private func productMetadata(
        _ identity: ComposeIdentity, of resolution: Resolution, repositories: [Repository]
    ) -> ProductMetadata {
        // If source packages differ only in their epoch, they share a file name, and the first of them counts.
        // A package whose file cannot have a name was left out when its repository was loaded.
        let sources = Dictionary(
            resolution.sources.compactMap { source in (try? source.record.nevra.filename).map { ($0.text, source.record.nevra) } },
            uniquingKeysWith: { first, _ in first })
        return ProductMetadata(
            identity: identity, label: attempt.lease.compose.request.label,
            arches: resolution.trees.map { $0.arch },
            packages: all(repositories) { package, repository in
                .init(
                    arches: repository.arches, record: package.record,
                    path: (refers ? "" : "\(TreeLayout.variant)/") + place(of: package, in: repository),
                    sourceNEVRA: package.record.sourceRPM.flatMap { sources[$0] ?? NEVRA($0) })
            })
    }
}

extension PackageDelivery.Method {
    /// The event that counts a file delivered by this method.
    fileprivate var event: WorkTally.Event {
        switch self {
        case .hardlink: .fileHardlink
        case .reflink: .fileReflink
        case .copy: .fileCopy
        case .download: .fileDownload
        }
    }
}
