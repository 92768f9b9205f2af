import ComposeModel
import ContentSources
import Foundation
import Modules
import SystemPackage

/// Fetches defaults of modules from the git repository that a request names: the documents of its folder, before which those of its folder
/// `overrides` go.
struct ModuleDefaultsFetcher: Sendable {
    /// Bytes of one document; real ones have a few hundred.
    private static let largestDocument = 1 << 20
    private static let mostDocuments = 20_000
    /// Bytes of the largest file that git may write.
    private static let sizeLimit = 256 << 20
    private static let timeLimit = Duration.seconds(120)

    let access: SourceAccess
    let log: ComposeLog

    /// Fetches them as they are at `revision`, into the new directory `directory`, which is removed again.
    ///
    /// Throws as ``GitRepository/checkOut(_:into:)``; `.sourceNotUsable` for an address that may not be read; `.metadataCorrupt` for a document that is none.
    func fetch(_ url: String, at revision: String, into directory: FilePath) async throws -> (pin: ModuleDefaultsPin, ModuleMetadata) {
        try access.authorize(try RepositoryLocation(url))
        let git = GitRepository(
            name: "the module defaults \(url)", url: url, hidden: [(directory.string, "the module defaults")],
            // A redirect would lead to an address that nobody has allowed.
            settings: ["http.followRedirects=false"], sizeLimit: Self.sizeLimit, timeLimit: Self.timeLimit, log: log)
        let commit = try await git.checkOut(revision, into: directory)
        defer { remove(directory) }
        let metadata = try documents(in: directory.appending("overrides"), named: "overrides/")
            .adding(defaultsOf: try documents(in: directory, named: ""))
        return (ModuleDefaultsPin(url: url, commit: commit), metadata)
    }

    private func remove(_ directory: FilePath) {
        do {
            try FileManager.default.removeItem(atPath: directory.string)
        } catch {
            log.write(.warning, "The copy of the module defaults could not be removed.")
        }
    }

    /// The documents of one folder; none where there is no such folder.
    private func documents(in directory: FilePath, named prefix: String) throws -> ModuleMetadata {
        guard FileManager.default.fileExists(atPath: directory.string) else { return ModuleMetadata() }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.string)
            .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
        guard names.count <= Self.mostDocuments else {
            throw ComposeFailure(
                .limitExceeded, "The module defaults have \(names.count) documents; up to \(Self.mostDocuments) are read.")
        }
        var all: [ModuleMetadata] = []
        for name in names {
            do {
                all.append(try ModuleMetadata(yaml: try text(of: directory.appending(name), named: prefix + name)).withoutStreams)
            } catch let error as ModuleMetadataError {
                throw ComposeFailure(.metadataCorrupt, "The module defaults cannot be used: \(prefix)\(name) is broken. \(error)")
            }
        }
        return try ModuleMetadata(merging: all)
    }

    /// A repository may hold links to anything.
    private func text(of file: FilePath, named name: String) throws -> String {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
        guard attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int, size <= Self.largestDocument,
            let bytes = FileManager.default.contents(atPath: file.string), let text = String(validating: bytes, as: UTF8.self)
        else {
            throw ComposeFailure(
                .metadataCorrupt,
                "The module defaults cannot be used: \(name) is no file of UTF-8 text with at most \(Self.largestDocument) bytes.")
        }
        return text
    }
}
