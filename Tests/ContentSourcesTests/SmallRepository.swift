import Compression
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

/// A repository of small packages, whose documents are written here.
struct SmallRepository {
    let directory: FilePath

    init(_ bench: Workbench, _ name: String = "repo") throws {
        directory = bench.sources.appending(name)
        try directory.createDirectory()
    }

    var location: RepositoryLocation { .directory(directory) }

    /// Writes a revision with the packages `names`.
    func write(_ names: [String], count: Int? = nil) throws {
        var records = ""
        if !directory.appending("repodata").exists { try directory.appending("repodata").createDirectory() }
        for document in MetadataDocument.allCases {
            let text = Self.document(document, names, count: count ?? names.count)
            let place = "repodata/\(document.rawValue).xml"
            try directory.appending(place).write(text)
            records += "<data type=\"\(document.rawValue)\"><checksum type=\"sha256\">\(Checksum.ofText(text).hex)</checksum>"
            records += "<location href=\"\(place)\"/></data>"
        }
        try directory.appending("repodata/repomd.xml")
            .write("<?xml version=\"1.0\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\(records)</repomd>\n")
    }

    static func pkgid(_ name: String) -> Checksum { Checksum.ofText(name) }

    private static func document(_ document: MetadataDocument, _ names: [String], count: Int) -> String {
        let root = ["primary": "metadata", "filelists": "filelists", "other": "otherdata"][document.rawValue]!
        let elements = names.map { name in
            document == .primary
                ? "<package type=\"rpm\"><name>\(name)</name><checksum type=\"sha256\" pkgid=\"YES\">\(pkgid(name).hex)</checksum></package>\n"
                : "<package pkgid=\"\(pkgid(name).hex)\" name=\"\(name)\"></package>\n"
        }
        return "<?xml version=\"1.0\"?>\n<\(root) packages=\"\(count)\">\n\(elements.joined())</\(root)>\n"
    }

    /// Fetches the current revision and makes the files that a compose makes beside it.
    func fetch(_ source: RepositorySource) async throws -> PinnedRepository {
        let pinned = try await source.pinAndFetch(location)
        _ = try MetadataIndex(opening: pinned.metadata)
        let pool = pinned.metadata.directory.appending("pool.solv")
        if !pool.exists { try pool.write("the packages") }
        return pinned
    }

    static func names(in pinned: PinnedRepository, of candidates: [String]) throws -> [String] {
        let index = try MetadataIndex(opening: pinned.metadata)
        return try candidates.filter { name in
            guard index.contains(pkgid(name)) else { return false }
            let chunks = try index.chunks(of: pkgid(name))
            #expect(String(decoding: chunks.primary, as: UTF8.self).contains("<name>\(name)</name>"))
            #expect(chunks.filelists != nil && chunks.other != nil)
            return true
        }
    }
}
