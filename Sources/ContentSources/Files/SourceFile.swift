import Foundation
import SystemPackage

/// A file of a repository: on this host's disks below an allowed directory, or at an allowed address.
enum SourceFile: Hashable, Sendable {
    case local(LocalFile)
    /// A file at an address.
    ///
    /// `asWritten` is the address for a file whose name contains the percent signs of the href literally.
    /// Some mirrors have such files, because they saved them under the escaped names. For example, the
    /// address of a file named `lib%2B%2B.rpm` is `lib%252B%252B.rpm`.
    case remote(RepositoryURL, asWritten: RepositoryURL? = nil)
}

/// The starting point of one repository's hrefs, from which its files are found.
///
/// Metadata from an address can name only addresses. Metadata in a local directory can name files below
/// the same allowed directory, and allowed addresses.
enum SourceTree: Sendable {
    /// A directory of this host. `namesPaths` says whether the metadata may name paths of this host.
    case directory(ConfinedPath, namesPaths: Bool, SourceAccess)
    case address(RepositoryURL, SourceAccess)

    /// Throws `.notPermitted` if a directory may not be read. Addresses are checked for each file, because
    /// an href may lead elsewhere.
    init(_ location: RepositoryLocation, _ access: SourceAccess) throws(TransferProblem) {
        switch location {
        case .directory(let directory):
            guard let confined = access.confine(directory) else { throw Self.notReadable }
            self = .directory(confined, namesPaths: true, access)
        case .url(let url):
            self = access.confine(url).map { .directory($0, namesPaths: false, access) } ?? .address(url, access)
        }
    }

    /// Resolves an href of rpm-md to a file.
    /// - Parameter base: The `xml:base` of the metadata, if there is one. It is an address or directory
    ///   that replaces the repository's, or a path relative to the repository's.
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

    /// Returns the file at `href` in a directory of this host that the metadata names.
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
