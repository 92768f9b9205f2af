public import ComposeModel
import Compression
import Foundation
import Glibc
import NIOPosix
import Repodata
import SystemPackage

/// A source that reads other composes. It pins the current state of one variant of each, and fetches
/// the metadata of its repositories and the list of its packages.
///
/// A compose is named by the directory of one variant, for example `http://host/…/compose/Server`. The
/// directory `metadata/` beside it has productmd's `rpms.json`. It may also have `composeinfo.json`
/// with the paths of the repositories.
public struct PungiComposeSource: Sendable {
    /// The maximum size of an rpms.json in bytes. The largest distributions have a third of it.
    private static let largestList = 256 << 20
    private static let largestInfo = 16 << 20

    private let repositories: RepositorySource

    /// - Parameter repositories: The source that reads the composes' repositories. Its access rules and its
    ///   cache also apply to the composes' own documents.
    public init(repositories: RepositorySource) {
        self.repositories = repositories
    }

    // MARK: Pin

    /// Returns the current state of the composes.
    /// - Parameter arches: Base architectures. Only their repositories are read.
    ///
    /// Throws `.sourceNotUsable` for a location that is not a finished compose with that variant, or may
    /// not be read. Throws it also if none of the composes has any of the architectures. Throws
    /// `.metadataCorrupt`, `.limitExceeded` or `.sourceUnreachable` for a document that cannot be read.
    public func pin(_ locations: [RepositoryLocation], arches: [String]) async throws(ComposeFailure) -> [PinnedPungiCompose] {
        var pins: [PinnedPungiCompose] = []
        var known: Set<String> = []
        for location in locations {
            let place = try PungiComposeLocation(location)
            try repositories.access.authorize(location)
            try repositories.access.authorize(place.compose)
            try await checkStatus(of: place)
            let bytes = try await list(of: place)
            let checksum = try await self.checksum(bytes)
            let list = try await parse(bytes, of: place, arches: arches)
            known.formUnion(list.arches)
            let paths = try await paths(of: place)
            var trees: [PinnedPungiCompose.Tree] = []
            for arch in arches where list.packages[arch] != nil {
                trees.append(try await tree(arch, of: place, paths))
            }
            try await keep(bytes, as: checksum)
            pins.append(PinnedPungiCompose(location: location, rpms: checksum, trees: trees))
        }
        guard pins.contains(where: { !$0.trees.isEmpty }) else {
            let these = locations.count == 1 ? "The compose \(locations[0]) has" : "The \(locations.count) composes have"
            let others = known.sorted()
            throw ComposeFailure(
                .sourceNotUsable,
                "\(these) nothing for \(arches.joined(separator: ", ")). There is \(others.isEmpty ? "no package at all" : others.listed()).",
                details: others.count > ComposeFailure.mostDetails ? [.init(nearest: others)] : [])
        }
        return pins
    }

    /// Throws `.sourceNotUsable` if the compose's `STATUS` says that it is not finished. A compose without
    /// a readable `STATUS` passes, because that file is not published everywhere.
    private func checkStatus(of place: PungiComposeLocation) async throws(ComposeFailure) {
        guard let top = place.topLevel else { return }
        let bytes: [UInt8]
        do throws(TransferProblem) {
            bytes = try await repositories.reader.contents(of: SourceTree(top, repositories.access).file("STATUS"), limit: 1024)
        } catch {
            switch error {
            case .canceled, .unreachable: throw PungiComposeFailure(location: place).reading("STATUS", error)
            default: return
            }
        }
        let status = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // If the server has something else at that place, such as a page for people, it is not a status.
        guard !status.isEmpty, status.utf8.allSatisfy({ (65...90).contains($0) || $0 == UInt8(ascii: "_") }) else { return }
        guard ["FINISHED", "FINISHED_INCOMPLETE"].contains(status) else {
            throw PungiComposeFailure(location: place).unfinished(status: status)
        }
    }

    private func list(of place: PungiComposeLocation) async throws(ComposeFailure) -> [UInt8] {
        let limit = min(Self.largestList, repositories.limits.metadataBytes)
        do throws(TransferProblem) {
            return try await repositories.reader.contents(
                of: SourceTree(place.compose, repositories.access).file("metadata/rpms.json"), limit: limit)
        } catch {
            throw PungiComposeFailure(location: place).reading("metadata/rpms.json", error)
        }
    }

    private func parse(_ bytes: [UInt8], of place: PungiComposeLocation, arches: [String]) async throws(ComposeFailure) -> RPMListDocument {
        try await repositories.threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            let decoder = JSONDecoder()
            decoder.userInfo[RPMListDocument.Wanted.key] = RPMListDocument.Wanted(variant: place.variant, arches: Set(arches))
            do {
                return try ForeignJSON.decode(RPMListDocument.self, from: bytes, by: decoder)
            } catch {
                throw PungiComposeFailure(location: place).parsing("metadata/rpms.json", error)
            }
        }
    }

    /// Returns the paths of the variant's repositories from composeinfo.json. They are empty if there is no
    /// such document.
    private func paths(of place: PungiComposeLocation) async throws(ComposeFailure) -> ComposeInfoDocument.Paths {
        let bytes: [UInt8]
        do throws(TransferProblem) {
            bytes = try await repositories.reader.contents(
                of: SourceTree(place.compose, repositories.access).file("metadata/composeinfo.json"), limit: Self.largestInfo)
        } catch {
            if error == .missing { return ComposeInfoDocument.Paths() }
            throw PungiComposeFailure(location: place).reading("metadata/composeinfo.json", error)
        }
        return try await repositories.threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            do {
                return try ForeignJSON.decode(ComposeInfoDocument.self, from: bytes).paths(of: place.variant) ?? .init()
            } catch {
                throw PungiComposeFailure(location: place).parsing("metadata/composeinfo.json", error)
            }
        }
    }

    private func tree(
        _ arch: String, of place: PungiComposeLocation, _ paths: ComposeInfoDocument.Paths
    ) async throws(ComposeFailure) -> PinnedPungiCompose.Tree {
        func location(_ path: String?, or custom: String) throws(ComposeFailure) -> RepositoryLocation {
            let path = path ?? "\(place.variant)/\(custom)"
            guard let location = place.repository(at: path) else {
                throw PungiComposeFailure(location: place).corrupt(
                    "metadata/composeinfo.json", "the path \"\(path.prefix(200))\" in it leads out of the compose")
            }
            return location
        }
        return PinnedPungiCompose.Tree(
            arch: arch,
            repository: try await repositories.pin(try location(paths.repository?[arch], or: TreeLayout.path(.os, arch))),
            debug: try await repositories.pinIfThere(try location(paths.debug?[arch], or: TreeLayout.path(.debug, arch))),
            source: try await repositories.pinIfThere(try location(paths.source?[arch], or: TreeLayout.source)))
    }

    // MARK: Content

    /// Returns the repositories and package lists of exactly `pins`, from the cache or fetched.
    /// - Parameter arches: The architectures that were requested when the pins were made. A note reports
    ///   each one that a compose does not have.
    ///
    /// Throws the errors of ``pin(_:arches:)`` and ``RepositorySource/metadata(for:)``. Throws
    /// `.sourceNotUsable` if the package list of a recorded pin is gone.
    public func content(of pins: [PinnedPungiCompose], arches: [String]) async throws(ComposeFailure) -> PungiComposeContent {
        var metadata: [Checksum: PinnedRepository] = [:]
        var order: [Checksum] = []
        var listings: [PackageListing] = []
        var notes: [String] = []
        for pin in pins {
            let place = try PungiComposeLocation(pin.location)
            let list = try await parse(try await keptList(of: pin, at: place), of: place, arches: arches + pin.trees.map(\.arch))
            let absent = arches.filter { !list.arches.contains($0) }
            if !absent.isEmpty {
                notes.append(
                    "The compose \(pin.location) has nothing for \(absent.joined(separator: ", ")), only for \(list.arches.joined(separator: ", "))."
                )
            }
            for tree in pin.trees {
                let listed = list.packages[tree.arch] ?? .init()
                for repository in tree.repositories where metadata[repository.checksum] == nil {
                    metadata[repository.checksum] = try await repositories.metadata(for: repository)
                    order.append(repository.checksum)
                }
                var packages = listed.binary
                for (kind, pinned, names) in [("debug", tree.debug, listed.debug), ("source", tree.source, listed.source)] {
                    if pinned != nil {
                        packages.formUnion(names)
                    } else if !names.isEmpty {
                        notes.append(
                            "The compose \(pin.location) has no \(kind) repository for \(tree.arch), so the \(names.count) \(kind) packages that it lists are left out."
                        )
                    }
                }
                listings.append(
                    PackageListing(
                        name: pin.location.description, arch: tree.arch, repositories: tree.repositories.map(\.checksum), packages: packages
                    ))
            }
        }
        return PungiComposeContent(repositories: order.compactMap { metadata[$0] }, listings: listings, notes: notes)
    }

    private func checksum(_ bytes: [UInt8]) async throws(ComposeFailure) -> Checksum {
        try await repositories.threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in FileChecksum.of(bytes, .sha256) }
    }

    // MARK: Kept lists

    private static let fileName = "rpms.json"

    /// Stores a list in the metadata cache under its checksum, for later composes with the same pin.
    private func keep(_ bytes: [UInt8], as checksum: Checksum) async throws(ComposeFailure) {
        let cache = repositories.cache
        try await repositories.threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try ComposeFailure.storing { () throws(Errno) in
                guard try cache.document(Self.fileName, of: checksum) == nil else { return }
                let fresh = try cache.prepare()
                do throws(Errno) {
                    try RegularFile.write(bytes, to: fresh.appending(Self.fileName))
                    try RegularFile.synchronize(fresh.appending(Self.fileName))
                    try cache.publish(fresh, as: checksum)
                } catch {
                    // The first error is the one to report. A directory that stays is removed when it is old.
                    try? cache.discard(fresh)
                    throw error
                }
            }
        }
    }

    private func keptList(of pin: PinnedPungiCompose, at place: PungiComposeLocation) async throws(ComposeFailure) -> [UInt8] {
        try repositories.access.authorize(pin.location)
        let cache = repositories.cache
        let kept = try await repositories.threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try ComposeFailure.storing { () throws(Errno) in try cache.document(Self.fileName, of: pin.rpms) }
        }
        if let kept { return kept }
        let bytes = try await list(of: place)
        guard try await checksum(bytes) == pin.rpms else {
            throw PungiComposeFailure(location: place).changed(since: pin.rpms)
        }
        try await keep(bytes, as: pin.rpms)
        return bytes
    }
}

extension MetadataCache {
    /// Returns the document that is kept under its own checksum, and marks it as used now. Returns `nil` if
    /// it is not there.
    fileprivate func document(_ name: String, of id: Checksum) throws(Errno) -> [UInt8]? {
        guard let place = place(of: id) else { return nil }
        do throws(Errno) {
            let bytes = try RegularFile.contents(of: place.appending(name))
            utimensat(AT_FDCWD, place.string, nil, 0)
            return bytes
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }
}
