import Foundation
import SystemPackage

/// One file of a repository: on this host's disks below an allowed directory, or at an allowed address.
enum SourceFile: Hashable, Sendable {
    case local(LocalFile)
    /// `asWritten`: the address of a file whose name has the percent signs of the href in it. Mirrors have such files, saved under the names in
    /// addresses: of `lib%2B%2B.rpm` the address is `lib%252B%252B.rpm`.
    case remote(RepositoryURL, asWritten: RepositoryURL? = nil)
}

/// Where the hrefs of one repository start, so that its files are found by them.
///
/// Metadata that came from an address can name only addresses. Metadata in a local directory can name files below the same allowed directory, and
/// addresses that are allowed.
enum SourceTree: Sendable {
    /// `namesPaths`: whether the metadata may name paths of this host.
    case directory(ConfinedPath, namesPaths: Bool, SourceAccess)
    case address(RepositoryURL, SourceAccess)

    /// Throws `.notPermitted` for a directory that may not be read; addresses are judged file by file, since an href may lead elsewhere.
    init(_ location: RepositoryLocation, _ access: SourceAccess) throws(TransferProblem) {
        switch location {
        case .directory(let directory):
            guard let confined = access.confine(directory) else { throw Self.notReadable }
            self = .directory(confined, namesPaths: true, access)
        case .url(let url):
            self = access.confine(url).map { .directory($0, namesPaths: false, access) } ?? .address(url, access)
        }
    }

    /// Resolves `href` of rpm-md.
    /// - Parameter base: `xml:base`, where the metadata sets one: an address or directory in place of the repository's, or a path relative to that.
    func file(_ href: String, base: String? = nil) throws(TransferProblem) -> SourceFile {
        guard !Self.hasControlCharacter(href), !Self.hasControlCharacter(base ?? "") else {
            throw .notPermitted("its location in the metadata contains a control character")
        }
        guard let base, !base.isEmpty else { return try file(at: href) }
        guard base.contains("://") || base.hasPrefix("/") else { return try file(at: base + "/" + href) }
        let elsewhere: RepositoryLocation
        do {
            elsewhere = try RepositoryLocation(base)
        } catch {
            throw .notPermitted("the metadata says that it lies somewhere else, at an address that cannot be used")
        }
        switch elsewhere {
        case .directory(let path): return try file(href, in: path)
        case .url(let url):
            if let directory = access.referredPackages(url) {
                return try SourceTree.directory(directory, namesPaths: false, access).file(at: href)
            }
            return try SourceTree(elsewhere, access).file(at: href)
        }
    }

    /// The file at `href` in a directory of this host that metadata names.
    private func file(_ href: String, in directory: FilePath) throws(TransferProblem) -> SourceFile {
        guard case .directory(let home, namesPaths: true, _) = self else {
            throw .notPermitted("the metadata names a path, and a repository at an address can refer only to addresses")
        }
        guard let confined = access.confine(directory), confined.root == home.root else { throw Self.notReadable }
        return Self.file(at: href, below: confined, of: home)
    }

    private static let notReadable = TransferProblem.notPermitted(
        "the metadata says that it lies in a directory that this service may not read")

    private var access: SourceAccess {
        switch self {
        case .directory(_, namesPaths: _, let access), .address(_, let access): access
        }
    }

    private func file(at href: String) throws(TransferProblem) -> SourceFile {
        switch self {
        case .directory(let directory, namesPaths: _, _): return Self.file(at: href, below: directory, of: directory)
        case .address(let url, _):
            let file: RepositoryURL
            let asWritten: RepositoryURL
            do {
                file = try url.appending(href: href)
                asWritten = try url.appending(href: href.replacing("%", with: "%25"))
            } catch {
                throw .notPermitted("its location in the metadata cannot be used: \(error.reason)")
            }
            guard access.allowsFile(file) else {
                throw .notPermitted(
                    "the metadata says that it lies at \(file), which is not among the addresses that this service may read")
            }
            return .remote(file, asWritten: asWritten == file || !access.allowsFile(asWritten) ? nil : asWritten)
        }
    }

    private static func file(at href: String, below directory: ConfinedPath, of home: ConfinedPath) -> SourceFile {
        let unescaped = href.utf8.contains(UInt8(ascii: "%")) ? href.removingPercentEncoding : nil
        return .local(
            LocalFile(
                path: directory.appending(href),
                unescaped: unescaped.flatMap { hasControlCharacter($0) ? nil : directory.appending($0) }, home: home))
    }

    private static func hasControlCharacter(_ text: String) -> Bool {
        text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}
