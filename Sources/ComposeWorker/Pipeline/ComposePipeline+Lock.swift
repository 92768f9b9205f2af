import ComposeModel
import ComposeStore
import Compression
import ContentSources
import Depsolve
import Foundation
import Modules
import NIOPosix
import Repodata

// Composes that are made again from a lock file. Its pins are used, and its packages are compared with
// those that were chosen.
extension ComposePipeline {
    /// Throws a `ComposeFailure` that names the packages, if those of `choice` are not those of the
    /// request's lock file.
    func checkLock(of request: ComposeRequest, _ choice: PackageChoice) async throws {
        guard let digest = request.lock else { return }
        let chosen = try await threadPool.runIfActive { PackageLock(choice.resolution) }
        if chosen.digest == digest { return }
        guard let lock = try await store.lock(digest) else {
            throw ComposeFailure(
                .sourceNotUsable,
                "The sources give other packages than those of the lock file. Submit the lock file again to hear which packages differ.")
        }
        throw Self.failure(lock.differences(in: chosen), "The sources give other packages than those of the lock file:")
    }

    /// Returns the failure of a compose whose pinned sources are gone. It names the packages of the lock
    /// file that the sources do not have any more.
    ///
    /// - Parameter failure: The failure that names the source.
    func explaining(_ failure: ComposeFailure, ofLocked attempt: ComposeAttempt) async throws -> ComposeFailure {
        let request = attempt.request
        guard request.sourceType == .repo, let digest = request.lock, let lock = try await store.lock(digest) else { return failure }
        let found: PackageLock
        do {
            guard let type = sources.types[request.sourceType] else { return failure }
            let content = try await type.pin(attempt, fixed: nil).content(lookaside: [], defaults: ModuleMetadata(), for: attempt)
            guard case .packages(let packages) = content else { return failure }
            var everything = DepsolveRequest(request, in: packages)
            everything.packages = []
            everything.noDeps = true
            everything.checkInstallability = false
            everything.modules = nil
            let resolution = try await depsolver.resolve(everything)
            found = try await threadPool.runIfActive { PackageLock(resolution) }
        } catch let error where !(error is CancellationError) {
            // The sources cannot be read at all, which the failure says already.
            return failure
        }
        let differences = lock.differences(in: found).filter { if case .added = $0 { false } else { true } }
        guard !differences.isEmpty else {
            return ComposeFailure(
                .sourceNotUsable,
                "\(failure.message) It still has all packages of the lock file. A new request that names them makes a compose of them.")
        }
        return Self.failure(differences, "\(failure.message) These packages of the lock file are not there any more:")
    }

    private static func failure(_ differences: [PackageLock.Difference], _ start: String) -> ComposeFailure {
        ComposeFailure(
            .sourceNotUsable, lines: Resolution.lines(start, listing: differences.map(\.sentence)),
            details: differences.prefix(200).map { .init(package: $0.package, text: $0.sentence) })
    }
}

extension PackageLock {
    /// Creates the lock of a resolution.
    init(_ resolution: Resolution) {
        let packages = resolution.trees.flatMap { $0.binaries + $0.debug } + resolution.sources
        self.init(packages.map { Package(checksum: $0.record.pkgid.description, nevra: $0.record.nevra.description) })
    }
}

extension PackageLock.Difference {
    fileprivate var package: String {
        switch self {
        case .gone(let package), .altered(let package, _), .added(let package): package.nevra
        }
    }

    /// The difference in a sentence.
    fileprivate var sentence: String {
        switch self {
        case .gone(let package): "\(package.nevra) with the checksum \(package.checksum) is gone."
        case .altered(let package, let checksum):
            "\(package.nevra) is altered: the lock file has the checksum \(package.checksum), and the source has \(checksum)."
        case .added(let package): "\(package.nevra) is not in the lock file."
        }
    }
}
