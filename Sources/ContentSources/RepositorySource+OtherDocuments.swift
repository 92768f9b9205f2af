public import ComposeModel
import ForeignText
import Foundation
public import Repodata
public import SystemPackage

extension PinnedRepository {
    /// The records of repomd.xml for documents that are neither about single packages nor about modules, each type once.
    ///
    /// Blocks. Empty where the repository was made by this service, which writes no such documents.
    public var otherRecords: [Repomd.Record] {
        // It was parsed before it was put into the cache.
        guard let bytes = try? RegularFile.contents(of: metadata.directory.appending("repomd.xml")),
            let repomd = try? Repomd(parsing: bytes)
        else { return [] }
        var seen: Set<String> = []
        let hasGroups = repomd.record("group") != nil
        return repomd.records.filter { record in
            // Other forms of the same documents: `primary_db`, `filelists_zck`, and `group_gz` beside `group`.
            let isOther = !["primary", "filelists", "other", "modules", "prestodelta", "deltainfo"].contains { record.type.hasPrefix($0) }
            let isForm = ["_db", "_zck", "_gz", "_xz", "_zst"].contains { record.type.hasSuffix($0) }
            return isOther && (!isForm || record.type == "group_gz" && !hasGroups) && seen.insert(record.type).inserted
        }
    }
}

extension RepositorySource {
    /// The types of documents that ``fetch(_:of:into:)`` can bring.
    public static let keepableDocuments: Set<String> = ["group", "group_gz", "updateinfo", "productid"]

    private static let fileNames = [
        "group": "comps.xml", "group_gz": "comps.xml", "updateinfo": "updateinfo.xml", "productid": "productid",
    ]

    /// Brings a document of one of the types ``keepableDocuments`` into a directory, checked and decompressed.
    ///
    /// - Returns: Its file.
    /// - Throws: `ComposeFailure`, if it is not there any more or is not what repomd.xml says.
    public func fetch(
        _ record: Repomd.Record, of repository: PinnedRepository, into directory: FilePath
    ) async throws(ComposeFailure) -> FilePath {
        guard let name = Self.fileNames[record.type] else {
            throw ComposeFailure(.internal, "Documents of the type \(record.type.quoted) cannot be kept.")
        }
        let file = directory.appending(name)
        do throws(DocumentProblem) {
            // Not as XML, which must not have a document type: comps.xml has one by custom, and nobody here reads it.
            try await reader.document(record, of: repository.location, to: directory, as: "kept", limits: limits)
        } catch {
            throw RepositoryFailure(repository.location).reading(error)
        }
        guard rename(directory.appending("kept").string, file.string) == 0 else { throw .storage(Errno(rawValue: errno)) }
        return file
    }
}
