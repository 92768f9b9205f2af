import ComposeModel
import ContentSources
import Repodata

/// A kept document is a document of a repository that describes its packages as a whole: its
/// advisories, its groups or its product certificate.
///
/// The document is valid for exactly the packages of one repository. So a compose has it only if the
/// request asks for all packages of a single repository.
struct KeptDocument: Sendable {
    let record: Repomd.Record
    let repository: PinnedRepository

    /// The document's type in the compose. `group_gz` is the old name of a compressed `group`. A compose
    /// compresses every document.
    var type: String { record.type == "group_gz" ? "group" : record.type }

    /// Returns the documents of `content` that a compose of it also has.
    static func all(of content: PackageSet, for request: ComposeRequest) -> [KeptDocument] {
        guard isWhole(content, request), let repository = content.repositories.first else { return [] }
        return repository.otherRecords.filter { RepositorySource.keepableDocuments.contains($0.type) }
            .map { KeptDocument(record: $0, repository: repository) }
    }

    /// Returns sentences, one for each repository with documents that the compose does not have.
    static func losses(of content: PackageSet, for request: ComposeRequest) -> [String] {
        guard content.koji == nil else { return [] }
        let kept = Set(all(of: content, for: request).map(\.record.type))
        return content.repositories.compactMap { repository in
            let lost = repository.otherRecords.map(\.type).filter { !kept.contains($0) }
            if lost.isEmpty { return nil }
            let reason =
                kept.isEmpty && lost.contains(where: RepositorySource.keepableDocuments.contains)
                ? "Advisories (updateinfo), groups (group) and productid are kept in composes of all packages of a single repository."
                : "Documents of these types are not kept."
            return "The compose does not have these documents of \(repository.place): \(lost.joined(separator: ", ")). \(reason)"
        }
    }

    private static func isWhole(_ content: PackageSet, _ request: ComposeRequest) -> Bool {
        request.sourceType == .repo && request.packages.isEmpty && content.repositories.count == 1 && content.listings.isEmpty
    }
}
