public import ComposeModel
import ForeignText
import Foundation
public import Repodata
public import SystemPackage

extension PinnedRepository {
    /// The records of repomd.xml for documents that describe neither single packages nor modules, each type
    /// once.
    ///
    /// For example, the records of the types `group` and `updateinfo`. The list is empty for a repository
    /// that this service made from Koji's packages, because its repomd.xml has no such records.
    public var otherRecords: [Repomd.Record] {
        guard let repomd else { return [] }
        var seen: Set<String> = []
        let hasGroups = repomd.record("group") != nil
        return repomd.records.filter { record in
            // These types are other forms of the same documents: `primary_db`, `filelists_zck`, and `group_gz`
            // beside `group`.
            let isOther = !["primary", "filelists", "other", "modules", "prestodelta", "deltainfo"].contains { record.type.hasPrefix($0) }
            let isForm = ["_db", "_zck", "_gz", "_xz", "_zst"].contains { record.type.hasSuffix($0) }
            return isOther && (!isForm || record.type == "group_gz" && !hasGroups) && seen.insert(record.type).inserted
        }
    }
}

extension RepositorySource {
    /// The types of documents that ``fetch(_:of:into:)`` can fetch.
    public static let keepableDocuments: Set<String> = ["group", "group_gz", "updateinfo", "productid"]

    private static let fileNames = [
        "group": "comps.xml", "group_gz": "comps.xml", "updateinfo": "updateinfo.xml", "productid": "productid",
    ]

    /// Fetches a document of one of the types ``keepableDocuments`` into a directory, checks and
    /// decompresses it.
    ///
    /// - Returns: The path of the document's file.
    /// - Throws: `ComposeFailure` if the document no longer exists or is not the one that repomd.xml
    ///   describes.
    public func fetch(
        _ record: Repomd.Record, of repository: PinnedRepository, into directory: FilePath
    ) async throws(ComposeFailure) -> FilePath {
        guard let name = Self.fileNames[record.type] else {
            throw ComposeFailure(.internal, "Documents of the type \(record.type.quoted) cannot be kept.")
        }
        let file = directory.appending(name)
        do throws(DocumentProblem) {
            // A name that ends with .xml would cause the check for a document type declaration, which is
            // forbidden. comps.xml usually has such a declaration, and this service does not parse the file.
            try await document(record, of: repository.location, to: directory, as: "kept")
        } catch {
            throw RepositoryFailure(repository.location).reading(error)
        }
        guard rename(directory.appending("kept").string, file.string) == 0 else { throw .storage(Errno(rawValue: errno)) }
        return file
    }
}
