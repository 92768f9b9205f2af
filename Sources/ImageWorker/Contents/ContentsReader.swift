import Foundation
import Glibc
import ImageArchive
public import ImageModel
import NIOCore
public import NIOPosix
public import Processes
public import Registry
public import SystemPackage

/// A *contents reader* finds out which packages an image in a registry has, without pulling the image.
///
/// It reads layers from the top down until one has an rpmdb, verifies their digests, and copies the
/// files of the rpmdb into a directory. A process of its own lists the packages.
///
/// Everything that is wrong with the image makes its contents unknown, and throws nothing.
public struct ContentsReader: ContentsReading {
    private let registry: RegistryClient
    private let process: DatabaseProcess
    private let scratch: FilePath
    private let limits: ContentsLimits
    private let threadPool: NIOThreadPool
    private let memory = LayerMemory()

    /// - Parameters:
    ///   - program: The program `odcs-rpmdb`, which reads an rpmdb. It is copied into the scratch
    ///     directory if the account cannot enter its directory.
    ///   - account: The account that reads an rpmdb if this process is root.
    ///   - scratch: The directory for files of rpmdbs. The account must be able to enter it.
    /// - Throws: ``CannotReadContents`` if the program does not exist, or if the account cannot enter the
    ///   directory.
    public init(
        registry: RegistryClient, program: FilePath, account: Account?, scratch: FilePath, limits: ContentsLimits = ContentsLimits(),
        threadPool: NIOThreadPool = .singleton
    ) throws(CannotReadContents) {
        let program = try Self.reachable(program, for: account, below: scratch)
        self.registry = registry
        process = DatabaseProcess(program: program, account: account, limits: limits)
        self.scratch = scratch
        self.limits = limits
        self.threadPool = threadPool
    }

    /// Returns the program, or a copy of it in the scratch directory if the account cannot enter the
    /// directory of the program.
    private static func reachable(
        _ program: FilePath, for account: Account?, below scratch: FilePath
    ) throws(CannotReadContents) -> FilePath {
        guard access(program.string, X_OK) == 0 else {
            throw CannotReadContents(description: "The program \(program), which reads the contents of images, does not exist.")
        }
        guard let account else { return program }
        if let obstacle = account.obstacle(above: scratch.appending("x")) {
            throw CannotReadContents(
                description: "The account \(account.name) reads the contents of images, and cannot enter \(obstacle).")
        }
        guard account.obstacle(above: program) != nil else { return program }
        let copy = scratch.appending("odcs-rpmdb")
        if access(copy.string, X_OK) == 0 { return copy }
        do {
            try FileManager.default.copyItem(atPath: program.string, toPath: copy.string)
        } catch {
            throw CannotReadContents(description: "The program \(program) cannot be copied into \(scratch) (\(error)).")
        }
        return copy
    }

    /// - Throws: `RegistryFailure` if the registry does not answer, or has no such manifest or layer.
    ///   ``CannotReadContents`` if this host cannot read contents.
    public func contents(of repository: ImageRepository, digest: ImageDigest, platform: Platform) async throws -> Contents {
        var contents = Contents(digest: digest, platform: platform, state: .none)
        do {
            guard case .manifest(let manifest) = try await registry.knownManifest(digest, of: repository).content else {
                contents.state = .unknown("\(digest) is an index, and not the manifest of one platform.")
                return contents
            }
            let configuration = try ImageConfiguration(try await registry.knownBlob(manifest.configuration, of: repository))
            try configuration.verify(manifest)
            contents.layers = configuration.diffIDs
            let found = configuration.platform
            guard (found.os, found.architecture) == (platform.os, platform.architecture) else {
                contents.state = .unknown("The image is for \(found), and not for \(platform).")
                return contents
            }
            contents.state = try await state(of: manifest.layers, in: repository)
        } catch let problem as ImageProblem {
            contents.state = .unknown(problem.description)
        } catch let error as ImageArchiveError where error.code != .io {
            contents.state = .unknown(error.message)
        }
        return contents
    }

    private func state(of layers: [Descriptor], in repository: ImageRepository) async throws -> Contents.State {
        let layers = layers.filter { !memory.isWithoutEffect($0.digest) }
        guard let top = layers.last else { return .none }
        if let known = memory.contents(below: top.digest) { return known }
        let directory = try await threadPool.runIfActive { try ScratchDirectory(below: scratch) }
        let state: Result<Contents.State, any Error>
        do {
            state = .success(try await read(layers, in: repository, directory))
        } catch {
            state = .failure(error)
        }
        // This is done even if the task is canceled.
        try await Task { [threadPool] in try await threadPool.runIfActive { directory.remove() } }.value
        return try state.get()
    }

    private func read(
        _ layers: [Descriptor], in repository: ImageRepository, _ directory: ScratchDirectory
    ) async throws -> Contents.State {
        // The client of registries verifies the digest of each layer.
        let finder = RPMDatabaseFinder(
            into: directory.path, limits: limits.layer, mostBytes: limits.databaseBytes, verifiesDigests: false)
        let search = try await finder.find(in: layers, isWithoutEffect: { memory.noteWithoutEffect($0.digest) }) { layer, search in
            try await registry.blob(layer, of: repository, on: threadPool) { try search.read($0) }
        }
        let state: Contents.State
        switch search {
        case .none: return .none
        case .unknown(let problem): return .unknown(problem)
        case .found(let database):
            if let account = process.account {
                try await threadPool.runIfActive { try directory.give(to: account, database.directory) }
            }
            state = try await process.read(database)
            // Layers above it with an effect may hide a part of the rpmdb.
            let isTopmost = layers[(database.layer + 1)...].allSatisfy { memory.isWithoutEffect($0.digest) }
            if isTopmost { memory.note(state, below: layers[database.layer].digest) }
        }
        return state
    }
}
