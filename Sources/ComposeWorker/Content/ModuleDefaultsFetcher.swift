import ComposeModel
import ContentSources
import Foundation
import Modules
import NIOPosix
import SystemPackage

/// A module defaults fetcher fetches module defaults from the git repository that a request names. It
/// reads the documents of the topmost folder and of the folder `overrides`. The documents of
/// `overrides` take precedence.
struct ModuleDefaultsFetcher: Sendable {
    /// The documents that are read. The bounds are far above the sizes in distributions.
    private static let documents = GitRepository.Paths(
        folders: ["", "overrides"], suffixes: [".yaml", ".yml"], most: 5000, bytes: 16 << 20)
    /// The size of the largest file that git may write, in bytes.
    private static let sizeLimit = 256 << 20
    private static let timeLimit = Duration.seconds(60)

    let access: SourceAccess
    let log: ComposeLog
    /// The protocols that git may use.
    var protocols = ["http", "https"]

    /// Fetches the module defaults at `revision` into the new directory `directory`, which is removed
    /// again.
    ///
    /// Throws the errors of ``GitRepository/checkOut(_:only:into:)``. Throws `.sourceNotUsable` for an
    /// address that may not be read, and `.metadataCorrupt` for a file that is not a valid document.
    func fetch(_ url: String, at revision: String, into directory: FilePath) async throws -> (pin: ModuleDefaultsPin, ModuleMetadata) {
        let location = try RepositoryLocation(url)
        try access.authorize(location)
        // In a repository on this host's disks, git would follow links and alternates to places that may not
        // be read.
        guard case .url = location else {
            throw ComposeFailure(
                .sourceNotUsable, "module_defaults_url is \(location); it must be an address of a git repository, http or https.")
        }
        return try await fetch(from: location.description, at: revision, into: directory)
    }

    /// Does the same as ``fetch(_:at:into:)`` without checking the address.
    func fetch(from url: String, at revision: String, into directory: FilePath) async throws -> (pin: ModuleDefaultsPin, ModuleMetadata) {
        let git = GitRepository(
            name: "the module defaults \(url)", url: url, hidden: [(directory.string, "the module defaults")],
            environment: ["GIT_ALLOW_PROTOCOL": protocols.joined(separator: ":")],
            // A redirect could lead to an address that is not allowed.
            settings: ["http.followRedirects=false", "core.symlinks=false"], sizeLimit: Self.sizeLimit, timeLimit: Self.timeLimit,
            log: { log.write(.error, $0) })
        let commit: String
        let metadata: ModuleMetadata
        do {
            commit = try await git.checkOut(revision, only: Self.documents, into: directory)
            metadata = try await NIOThreadPool.singleton.runIfActive { try read(directory) }
        } catch {
            remove(directory)
            throw error
        }
        remove(directory)
        return (ModuleDefaultsPin(url: url, commit: commit), metadata)
    }

    private func remove(_ directory: FilePath) {
        do {
            try FileManager.default.removeItem(atPath: directory.string)
        } catch {
            log.write(.warning, "The copy of the module defaults could not be removed.")
        }
    }

    private func read(_ directory: FilePath) throws -> ModuleMetadata {
        do {
            return try documents(in: directory.appending("overrides"), named: "overrides/")
                .adding(defaultsOf: try documents(in: directory, named: ""))
        } catch let error as ModuleMetadataError {
            throw ComposeFailure(.metadataCorrupt, "The module defaults cannot be used: \(error)")
        } catch let error as CocoaError {
            throw ComposeFailure(storage: error)
        }
    }

    /// Returns the documents of one folder, or no documents if the folder does not exist.
    private func documents(in directory: FilePath, named prefix: String) throws -> ModuleMetadata {
        guard FileManager.default.fileExists(atPath: directory.string) else { return ModuleMetadata() }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.string).filter { name in
            Self.documents.suffixes.contains { name.hasSuffix($0) }
        }
        var all: [ModuleMetadata] = []
        for name in names.sorted() {
            guard let bytes = FileManager.default.contents(atPath: directory.appending(name).string),
                let text = String(validating: bytes, as: UTF8.self)
            else { throw ComposeFailure(.metadataCorrupt, "The module defaults cannot be used: \(prefix)\(name) is no UTF-8 text.") }
            do {
                all.append(try ModuleMetadata(yaml: text).withoutStreams)
            } catch {
                throw ComposeFailure(.metadataCorrupt, "The module defaults cannot be used: \(prefix)\(name) is broken. \(error)")
            }
        }
        return try ModuleMetadata(merging: all)
    }
}
