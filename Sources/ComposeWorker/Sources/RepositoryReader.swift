import ComposeModel
import ComposeStore
import Compression
import ContentSources
import Depsolve
import Modules

/// A repository reader pins the repositories that requests name, and brings their metadata to this
/// host.
struct RepositoryReader: Sendable {
    let repositories: RepositorySource

    func pin(_ locations: [String]) async throws -> [RepositoryPin] {
        var pins: [RepositoryPin] = []
        for location in locations {
            pins.append(try await repositories.pin(try RepositoryLocation(location)))
        }
        return pins
    }

    /// Returns the packages of repositories, without the modules that they belong to.
    func packages(_ pins: [RepositoryPin], lookaside: [RepositoryPin], meter: WorkMeter) async throws -> PackageSet {
        count(pins + lookaside, on: meter)
        return PackageSet(repositories: try await metadata(pins), lookaside: try await metadata(lookaside))
    }

    func metadata(_ pins: [RepositoryPin]) async throws -> [PinnedRepository] {
        var repositories: [PinnedRepository] = []
        for pin in pins { repositories.append(try await self.repositories.metadata(for: pin)) }
        return repositories
    }

    /// Returns the documents of the repositories' modules, one for each repository.
    func modules(of repositories: [PinnedRepository]) async throws -> [ModuleMetadata] {
        var metadata: [ModuleMetadata] = []
        for repository in repositories { metadata.append(try await self.repositories.modules(of: repository)) }
        return metadata
    }

    /// Counts the repositories whose metadata is on this host, and the others.
    func count(_ pins: [RepositoryPin], on meter: WorkMeter) {
        for pin in pins { meter.count(repositories.isOnThisHost(pin) ? .metadataHit : .metadataMiss) }
    }
}

extension ComposeSpecification.Repository {
    init(_ pin: RepositoryPin) {
        self.init(location: pin.location.description, repomd: pin.checksum.description)
    }
}

extension RepositoryPin {
    init(_ repository: ComposeSpecification.Repository) throws {
        guard let checksum = Checksum(repository.repomd) else {
            throw ComposeFailure(.internal, "The record of this compose has a checksum that cannot be read: \(repository.repomd).")
        }
        self.init(recorded: checksum, of: try RepositoryLocation(repository.location))
    }

    /// A line for the log.
    var line: String { "Pinned \(location) at \(checksum)." }
}

extension ComposeRequest {
    /// The base architectures of the request's architectures. Throws a `ComposeFailure` for an unknown one.
    var baseArchitectures: [String] {
        get throws {
            do throws(DepsolveError) {
                return try Depsolver.baseArchitectures(of: arches)
            } catch {
                throw ComposeFailure(error, in: PackageSet(repositories: [], lookaside: []))
            }
        }
    }
}
